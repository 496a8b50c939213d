"""With which period a site's Overview opens"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0009"
down_revision = "0008"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column("sites", sa.Column("overview_period", sa.Text(), nullable=False, server_default="30d"))


def downgrade() -> None:
    op.drop_column("sites", "overview_period")
