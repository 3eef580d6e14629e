"""Runs: somebody going through a flow, kept turn by turn, and how it goes on elsewhere."""

from pathlib import Path

from alembic import op

revision = "0009"
down_revision = "0008"


def upgrade() -> None:
    """Run the statements beside."""
    driver = op.get_bind().connection.driver_connection
    assert driver is not None
    driver.execute(Path(__file__).with_suffix(".sql").read_text("utf-8"))  # no parameters, so % stays what it is
