"""Routes of lines: where what begins on a line goes, by when it comes, from where and by whom."""

from pathlib import Path

from alembic import op

revision = "0014"
down_revision = "0013"


def upgrade() -> None:
    """Run the statements beside."""
    driver = op.get_bind().connection.driver_connection
    assert driver is not None
    driver.execute(Path(__file__).with_suffix(".sql").read_text("utf-8"))  # no parameters, so % stays what it is
