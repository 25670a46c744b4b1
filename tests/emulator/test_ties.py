# SPDX-License-Identifier: BSD-3-Clause
"""Ties between persistent objects over a reboot: what is tied stays, and chains keep their limit."""
import pytest
from guest import OK


@pytest.mark.quick
def test_chains_survive_with_their_limit(guest):
    path = guest.path("pmem")
    guest.run("test_ties make", pmem=path, pmem_size="64M").expect(OK).expect_clean().expect_line("^ties: made")
    guest.run("test_ties check", pmem=path).expect(OK).expect_clean().expect_line("^ties: as before")
