"""Samples of metrics, with their minutes and hours"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0012"
down_revision = "0011"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "health_series",
        sa.Column("id", sa.Integer(), autoincrement=True, nullable=False),
        sa.Column("site_id", sa.Integer(), nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("tags", sa.Text(), server_default="", nullable=False),
        sa.Column("unit", sa.Text(), server_default="", nullable=False),
        sa.Column("seen_at", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_health_series")),
        sa.UniqueConstraint("site_id", "name", "tags", name=op.f("uq_health_series_site_id_name_tags")),
        sqlite_autoincrement=True,
    )
    op.create_table(
        "health_samples",
        sa.Column("site_id", sa.Integer(), nullable=False),
        sa.Column("series_id", sa.Integer(), nullable=False),
        sa.Column("at", sa.BigInteger(), nullable=False),
        sa.Column("value", sa.Float(), nullable=False),
        postgresql_partition_by="RANGE (at)",
    )
    op.create_index(op.f("ix_health_samples_site_id_at"), "health_samples", ["site_id", "at"])
    for name in ("health_minutes", "health_hours"):
        op.create_table(
            name,
            sa.Column("site_id", sa.Integer(), autoincrement=False, nullable=False),
            sa.Column("series_id", sa.Integer(), autoincrement=False, nullable=False),
            sa.Column("at", sa.BigInteger(), autoincrement=False, nullable=False),
            sa.Column("count", sa.BigInteger(), nullable=False),
            sa.Column("sum", sa.Float(), nullable=False),
            sa.Column("min", sa.Float(), nullable=False),
            sa.Column("max", sa.Float(), nullable=False),
            sa.PrimaryKeyConstraint("site_id", "series_id", "at", name=op.f(f"pk_{name}")),
            sqlite_with_rowid=False,
        )


def downgrade() -> None:
    op.drop_table("health_hours")
    op.drop_table("health_minutes")
    op.drop_table("health_samples")
    op.drop_table("health_series")
