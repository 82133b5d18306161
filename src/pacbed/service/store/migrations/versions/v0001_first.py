"""The first form: tokens, look-ups, feedback, bundles."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0001"
down_revision = None
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Make the tables."""
    op.create_table(
        "tokens",
        sa.Column("name", sa.String(100), primary_key=True),
        sa.Column("sha256", sa.String(64), nullable=False, unique=True),
        sa.Column("created", sa.Float, nullable=False),
        sa.Column("expires", sa.Float),
        sa.Column("revoked", sa.Float),
    )
    op.create_table(
        "lookups",
        sa.Column("identity", sa.String(64), primary_key=True),
        sa.Column("owner", sa.String(100), primary_key=True),
        sa.Column("question", sa.String(64), nullable=False),
        sa.Column("created", sa.Float, nullable=False),
        sa.Column("input_name", sa.String(255), nullable=False),
        sa.Column("bundle_name", sa.String(255), nullable=False),
        sa.Column("bundle_sha256", sa.String(64), nullable=False),
        sa.Column("verdict", sa.String(20), nullable=False),
        sa.Column("thickness_nm", sa.Float),
        sa.Column("size", sa.BigInteger, nullable=False),
        sa.Column("share_sha256", sa.String(64)),
        sa.Column("request", sa.Text, nullable=False),
        sa.Column("pattern_name", sa.String(100), nullable=False),
    )
    op.create_index("lookups_by_question", "lookups", ["owner", "question"])
    op.create_index("lookups_by_time", "lookups", ["created"])
    op.create_index("ix_lookups_pattern_name", "lookups", ["pattern_name"])
    _make_smaller_tables()


def _make_smaller_tables() -> None:
    op.create_table(
        "feedback",
        sa.Column("number", sa.Integer, primary_key=True, autoincrement=True),
        sa.Column("identity", sa.String(64), nullable=False),
        sa.Column("owner", sa.String(100), nullable=False),
        sa.Column("created", sa.Float, nullable=False),
        sa.Column("answer", sa.String(20), nullable=False),
        sa.Column("thickness_nm", sa.Float),
        sa.Column("comment", sa.Text, nullable=False),
        sa.ForeignKeyConstraint(["identity", "owner"], ["lookups.identity", "lookups.owner"], ondelete="CASCADE"),
    )
    op.create_table(
        "bundles",
        sa.Column("sha256", sa.String(64), primary_key=True),
        sa.Column("name", sa.String(255), nullable=False),
        sa.Column("first_served", sa.Float, nullable=False),
    )


def downgrade() -> None:
    """Drop them."""
    for name in ("bundles", "feedback", "lookups", "tokens"):
        op.drop_table(name)
