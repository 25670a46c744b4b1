// SPDX-License-Identifier: BSD-3-Clause
/*
 * The checker's view of one object: its header, flags and tree.
 */
#include "check.h"

static bool outside_leaves(uint64_t pgnr)
{
	return pgnr < DIRECT_PAGES || (pgnr >= FIRST_HIGH && pgnr < SIDE_FIRST + DIRECT_PAGES);
}

static void check_entry(struct check *c, uint64_t offset, uint64_t *count)
{
	uint64_t page = check_word(c, offset);

	if (page && check_content(c, page, offset))
		++*count;
}

static void check_leaf(struct check *c, uint64_t leaf, uint64_t first, uint64_t *count)
{
	for (unsigned i = 0; i < PAGE_WORDS; i++) {
		uint64_t offset = leaf * STORE_PAGE_SIZE + 8ull * i;

		check_entry(c, offset, count);
		if (outside_leaves(first + i) && check_word(c, offset))
			check_fault(c, "leaf names a page that the inode should", offset, first + i);
	}
}

static void check_run(struct check *c, uint64_t run, uint64_t first, uint64_t from, uint64_t *count)
{
	if (first == 0 || first >= FIRST_HIGH - FIRST_HIGH % STORE_RUN_PAGES)
		check_fault(c, "run where none can be", from, first);
	for (unsigned i = 0; i < STORE_RUN_PAGES; i++)
		*count += check_claim(c, run + i, from);
}

/* What a word in the node, or one for a leaf of side pages, names. */
static void check_branch(struct check *c, uint64_t offset, uint64_t first, uint64_t *count)
{
	uint64_t page = check_word(c, offset);

	if (page & LEAF_RUN) {
		check_run(c, page & ~LEAF_RUN, first, offset, count);
	} else if (page && check_claim(c, page, offset)) {
		++*count;
		check_leaf(c, page, first, count);
	}
}

static void check_node(struct check *c, uint64_t inode, uint64_t *count)
{
	uint64_t offset = inode_word(inode, INODE_NODE);
	uint64_t node = check_word(c, offset);

	if (!node || !check_claim(c, node, offset))
		return;
	++*count;
	for (uint64_t i = 0; i < PAGE_WORDS; i++)
		check_branch(c, node * STORE_PAGE_SIZE + 8 * i, i * PAGE_WORDS, count);
}

static void check_tree(struct check *c, uint64_t inode)
{
	uint64_t count = 1;

	for (unsigned i = INODE_LOW; i < INODE_DIRECT_END; i++)
		check_entry(c, inode_word(inode, i), &count);
	if (check_word(c, inode_word(inode, INODE_LOW)))
		check_fault(c, "object has a null page", inode_word(inode, INODE_LOW), inode);
	check_node(c, inode, &count);
	for (unsigned i = INODE_SIDE_LEAF; i < INODE_SIDE_END; i++)
		check_branch(c, inode_word(inode, i),
			     SIDE_FIRST + (uint64_t)(i - INODE_SIDE_LEAF) * PAGE_WORDS, &count);
	uint64_t said = check_word(c, inode_word(inode, INODE_PAGES));

	if (said != count)
		check_fault(c, "object's page count is wrong", inode_word(inode, INODE_PAGES),
			    count);
}

bool check_header(struct check *c, uint64_t inode)
{
	const struct inode_header *header = store_page_at(c->st, inode);

	if (header->magic == INODE_MAGIC && header->self == inode &&
	    header->sum == store_inode_sum(c->st, header))
		return true;
	check_fault(c, "inode header fails its check", inode * STORE_PAGE_SIZE, header->sum);
	return false;
}

uint64_t check_inode(struct check *c, uint64_t inode)
{
	uint64_t flags = check_word(c, inode_word(inode, INODE_FLAGS));

	c->objects++;
	check_header(c, inode);
	if (flags & ~INODE_FLAGS_ALL || flags == INODE_FLAGS_ALL)
		check_fault(c, "unknown inode flags", inode_word(inode, INODE_FLAGS), flags);
	check_zero(c, "reserved inode bytes in use", inode_word(inode, INODE_NAMED_END),
		   inode_word(inode, INODE_LOW));
	check_zero(c, "reserved inode bytes in use", inode_word(inode, INODE_SIDE_END),
		   (inode + 1) * STORE_PAGE_SIZE);
	check_tree(c, inode);
	check_ties(c, inode);
	return flags;
}
