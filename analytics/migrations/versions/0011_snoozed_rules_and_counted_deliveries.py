"""How many messages a delivery counts that found no room in the outbox; until when a rule is snoozed"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0011"
down_revision = "0010"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column("deliveries", sa.Column("more", sa.Integer(), server_default="0", nullable=False))
    op.add_column("rules", sa.Column("snoozed_until", sa.BigInteger(), server_default="0", nullable=False))


def downgrade() -> None:
    op.drop_column("rules", "snoozed_until")
    op.drop_column("deliveries", "more")
