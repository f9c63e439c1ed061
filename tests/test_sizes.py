"""Sizes in bytes as texts."""

import pytest

from turntable.sizes import format_bytes


@pytest.mark.parametrize(
    ("count", "text"),
    [
        (0, "0 bytes"),
        (1, "1 byte"),
        (999, "999 bytes"),
        (999.6, "1.0 kB"),
        (1000, "1.0 kB"),
        (41_338, "41.3 kB"),
        (99_949, "99.9 kB"),
        (99_950, "100 kB"),
        (999_499, "999 kB"),
        (999_500, "1.0 MB"),
        (3_000_000_000, "3.0 GB"),
        (12_345_678_901_234, "12.3 TB"),
        (5e18, "5,000 PB"),
    ],
)
def test_a_size_has_the_unit_that_suits_it(count, text):
    assert format_bytes(count) == text
