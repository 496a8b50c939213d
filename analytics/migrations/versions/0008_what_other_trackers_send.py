"""What other trackers send: a UUID for each site, and events that end no bounce"""

from __future__ import annotations

from uuid import uuid4

import sqlalchemy as sa
from alembic import op

revision = "0008"
down_revision = "0007"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column("events", sa.Column("interactive", sa.Boolean(), nullable=False, server_default=sa.true()))
    op.add_column("sites", sa.Column("uuid", sa.Text()))
    connection = op.get_bind()
    sites = sa.table("sites", sa.column("id", sa.Integer), sa.column("uuid", sa.Text))
    for site_id in connection.execute(sa.select(sites.c.id)).scalars().all():
        connection.execute(sa.update(sites).where(sites.c.id == site_id).values(uuid=str(uuid4())))
    op.create_index(op.f("ix_sites_uuid"), "sites", ["uuid"], unique=True)


def downgrade() -> None:
    op.drop_index(op.f("ix_sites_uuid"), "sites")
    op.drop_column("sites", "uuid")
    op.drop_column("events", "interactive")
