# SPDX-License-Identifier: BSD-3-Clause
"""
Hash-data objects on damaged media: what a flipped byte in their pages, in the digests beside them and in their
metadata does at the next boot. The object is made by the guest program test_hash_media.
"""
import hashlib
import re
import struct

import pytest
from guest import OK

PAGE = 4096
PAGES = 300  # of the object: three groups of digests, and one above them
EUCLEAN, EINVLOBJ = 117, 1001


def content(number):
    return struct.pack("<512Q", *(0x7a5a << 48 | number << 16 | word for word in range(512)))


def leaf(number):
    hashed = hashlib.blake2b(digest_size=32, person=b"twz-hash-leaf-v1")
    hashed.update(struct.pack("<QQ", number, 0) + content(number))
    return hashed.digest()


class Media:
    """The file of a persistent-memory region, between two boots."""

    def __init__(self, path):
        self.path = path
        with open(path, "rb") as file:
            self.bytes = file.read()

    def find(self, what):
        """The place of these bytes, of which there is one."""
        at = self.bytes.find(what)
        assert at >= 0 and self.bytes.find(what, at + 1) < 0
        return at

    def put(self, at, new):
        with open(self.path, "r+b") as file:
            file.seek(at)
            file.write(new)

    def flip(self, at):
        self.put(at, bytes([self.bytes[at] ^ 1]))

    def data(self, number):
        return self.find(content(number))

    def digests(self, group):
        """The page with the leaf digests of a group."""
        at = self.find(leaf(group * 128 + 1) + leaf(group * 128 + 2))
        assert at % PAGE == 0
        return at

    def upper(self):
        """The page with the digests of the groups."""
        node = hashlib.blake2b(digest_size=32, person=b"twz-hash-node-v1")
        node.update(struct.pack("<QQ", 1, 0) + b"".join(leaf(n) for n in range(1, 129)))
        at = self.find(node.digest())
        assert at % PAGE == 0
        return at

    def metadata(self):
        at = self.find(struct.pack("<IHH", 0x54575A4F, 1, 0x45))
        assert at % PAGE == 0
        return at


@pytest.fixture
def media(guest):
    path = guest.path("pmem")
    guest.run(f"test_hash_media make object {PAGES}", pmem=path, pmem_size="64M").expect(OK).expect_clean()
    return Media(path)


def read(guest, media):
    """(the wrong pages, what copying gives) at the next boot, or (None, error) for an object that is refused."""
    result = guest.run("test_hash_media read object", pmem=media.path).expect(OK).expect_clean()
    refused = re.search(r"^hash: refused with -(\d+)", result.out, re.MULTILINE)
    if refused:
        return None, int(refused.group(1)), result
    pages = re.search(rf"^hash: {PAGES} pages, wrong:(.*)$", result.out, re.MULTILINE).group(1).split()
    copied = re.search(r"^hash: copying gives -?(\d+)", result.out, re.MULTILINE).group(1)
    return [int(number) for number in pages], int(copied), result


def expect_whole(guest, media):
    wrong, copied, result = read(guest, media)
    assert (wrong, copied) == ([], 0), result.describe()
    return result


@pytest.mark.quick
def test_a_byte_of_content(guest, media):
    """The page it is in cannot be had, all others can."""
    media.flip(media.data(137) + 1000)
    wrong, copied, result = read(guest, media)
    assert (wrong, copied) == ([137], EUCLEAN), result.describe()
    result.expect_line(r"page 137 of .* is not what its ID says")
    media.put(media.data(137), content(137))
    assert not expect_whole(guest, media).find("is not what its ID says")


@pytest.mark.quick
def test_a_byte_of_a_digest(guest, media):
    """It is not believed, and made right from the pages it is about."""
    at = media.digests(1) + 32 * 9
    media.flip(at)
    assert len(expect_whole(guest, media).find("digests of pages of .* computed again")) == 1
    assert Media(media.path).bytes[at] == media.bytes[at]
    assert not expect_whole(guest, media).find("computed again")


def test_a_byte_of_an_upper_digest(guest, media):
    at = media.upper() + 40
    media.flip(at)
    expect_whole(guest, media).expect_line(r"digests of [0-9a-f:]+ computed again")
    assert Media(media.path).bytes[at] == media.bytes[at]
    assert not expect_whole(guest, media).find("computed again")


def test_all_digests_are_gone(guest, media):
    for at in (media.upper(), *(media.digests(group) for group in range(3))):
        media.put(at, bytes(PAGE))
    expect_whole(guest, media)
    assert not expect_whole(guest, media).find("computed again")


def test_content_and_its_digests(guest, media):
    """Which of a group's pages is wrong cannot be told then; other groups do not suffer."""
    media.flip(media.data(200))
    media.flip(media.digests(1) + 32 * 100)
    wrong, copied, result = read(guest, media)
    assert (wrong, copied) == (list(range(129, 257)), EUCLEAN), result.describe()


def test_content_and_upper_digests(guest, media):
    """Nothing can be told any more."""
    media.flip(media.data(200))
    media.flip(media.upper())
    _, refused, result = read(guest, media)
    assert refused == EINVLOBJ, result.describe()


@pytest.mark.quick
@pytest.mark.parametrize("offset", [6, 20, 48, 100, 4095])
def test_a_byte_of_metadata(guest, media, offset):
    """Permissions, nonce, size, extensions, what is behind them: the object is not what its ID says."""
    media.flip(media.metadata() + offset)
    _, refused, result = read(guest, media)
    assert refused == EINVLOBJ, result.describe()
    result.expect_line(r"metadata of .* does not match its ID")
