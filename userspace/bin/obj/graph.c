// SPDX-License-Identifier: BSD-3-Clause
/*
 * obj graph: what leads where, breadth first from an object: the entries of foreign object tables,
 * and the entries of namespaces. Every object is one node, so that a cycle ends where it began.
 */
#include "graph.h"

#include <base/printf.h>
#include <base/string.h>
#include <twz/name.h>

#define DEPTH 6

/* Text for a picture: what is not printing ASCII becomes a '?', what is too long ends in "...". */
static void set_label(char *label, const char *text, size_t length)
{
	size_t n = length < LABEL ? length : LABEL - 4;

	for (size_t i = 0; i < n; i++)
		label[i] = text[i] >= ' ' && text[i] <= '~' ? text[i] : '?';
	strlcpy(label + n, n < length ? "..." : "", LABEL - n);
}

static void add_about(struct node *n, const char *text)
{
	size_t at = strlen(n->about);

	snprintf(n->about + at, LABEL - at, "%s%s", at ? ", " : "", text);
}

static void describe_exts(struct node *n, twzobj *o)
{
	const struct metainfo *mi = twz_object_meta(o);
	char text[LABEL];

	if (mi->flags & MIF_SZ) {
		snprintf(text, sizeof(text), "%lu bytes", (unsigned long)mi->sz);
		add_about(n, text);
	}
	for (size_t i = 0; i < ext_slots(mi); i++)
		if (mi->exts[i].tag && mi->exts[i].tag != METAEXT_CLAIMED)
			add_about(n, tag_name(mi->exts[i].tag));
}

static void describe(struct node *n, const struct kernel_ostat *st)
{
	const char *name = names_of(n->id);
	char text[LABEL];

	if (name)
		set_label(n->name, name, strlen(name));
	if (!(st->flags & OS_FLAGS_PERSIST))
		add_about(n, "volatile");
	if (st->pages) {
		snprintf(text, sizeof(text), "%lu KiB", (unsigned long)st->pages * 4);
		add_about(n, text);
	}
	if (st->ties_in || st->ties_out) {
		snprintf(text, sizeof(text), "ties %lu in %lu out", (unsigned long)st->ties_in,
		    (unsigned long)st->ties_out);
		add_about(n, text);
	}
	if ((st->flags & OS_FLAGS_INVALID) || !(st->p_flags & MIP_DFL_READ))
		n->kind = NODE_CLOSED;
}

static int new_node(struct graph *g, unsigned int depth)
{
	struct node *n = &g->nodes[g->node_count];

	if (g->node_count == GRAPH_NODES) {
		g->cut = true;
		return -1;
	}
	*n = (struct node){ .depth = depth };
	return (int)g->node_count++;
}

static int node_of_id(struct graph *g, objid_t id, unsigned int depth)
{
	struct kernel_ostat st;
	int at;

	for (unsigned int i = 0; i < g->node_count; i++)
		if (g->nodes[i].id == id && g->nodes[i].kind != NODE_UNRESOLVED)
			return (int)i;
	at = new_node(g, depth);
	if (at < 0)
		return at;
	g->nodes[at].id = id;
	if (sys_ostat(TWZ_OSTAT_OBJECT, id, 0, &st) == 0) {
		describe(&g->nodes[at], &st);
	} else {
		g->nodes[at].kind = NODE_GONE;
		add_about(&g->nodes[at], "does not exist");
	}
	return at;
}

static int node_of_name(struct graph *g, const char *name, size_t length, unsigned int depth)
{
	char label[LABEL];
	int at;

	set_label(label, name, length);
	for (unsigned int i = 0; i < g->node_count; i++)
		if (g->nodes[i].kind == NODE_UNRESOLVED && strcmp(g->nodes[i].name, label) == 0)
			return (int)i;
	at = new_node(g, depth);
	if (at < 0)
		return at;
	g->nodes[at].kind = NODE_UNRESOLVED;
	strlcpy(g->nodes[at].name, label, LABEL);
	add_about(&g->nodes[at], "a name that leads nowhere");
	return at;
}

static void add_edge(struct graph *g, unsigned int from, int to, enum edge_kind kind,
    const char *label)
{
	if (to < 0)
		return;
	for (unsigned int i = 0; kind != EDGE_NAME && i < g->edge_count; i++) {
		struct edge *e = &g->edges[i];

		if (e->from == from && e->to == (unsigned int)to && e->kind == kind) {
			e->count++;
			return;
		}
	}
	if (g->edge_count == GRAPH_EDGES) {
		g->cut = true;
		return;
	}
	g->edges[g->edge_count] = (struct edge){ from, (unsigned int)to, kind, 1, "" };
	set_label(g->edges[g->edge_count++].label, label, strlen(label));
}

/* An entry by name: to what the default resolver finds, or to the name itself. */
static void follow_name(struct graph *g, unsigned int from, twzobj *o, const struct fotentry *fe)
{
	unsigned int depth = g->nodes[from].depth + 1;
	char text[PATH_MOST + 1];
	const char *name;
	long length = fot_name(o, fe, &name);
	objid_t id;

	if (length < 0) {
		add_edge(g, from, node_of_name(g, "(damaged)", 9, depth), EDGE_BY_NAME, "");
		return;
	}
	memcpy(text, name, (size_t)length);
	text[length] = 0;
	if (fe->name.nresolver == TWZ_NAME_RESOLVER_HIER && twz_name_dfl_resolve(text, 0, &id) == 0)
		add_edge(g, from, node_of_id(g, id, depth), EDGE_BY_NAME, text);
	else
		add_edge(g, from, node_of_name(g, text, (size_t)length, depth), EDGE_BY_NAME, text);
}

static void follow_entries(struct graph *g, unsigned int from, twzobj *o)
{
	for (uint64_t i = 1; i < fot_count(o) && !g->cut; i++) {
		struct fotentry fe = *fot_entry(o, i);
		char label[LABEL];

		if (!(fe.flags & _FE_VALID))
			continue;
		snprintf(label, sizeof(label), "%lu %s%s%s%s", (unsigned long)i,
		    fe.flags & FE_READ ? "r" : "", fe.flags & FE_WRITE ? "w" : "",
		    fe.flags & FE_EXEC ? "x" : "", fe.flags & FE_DERIVE ? " derive" : "");
		if (fe.flags & FE_NAME)
			follow_name(g, from, o, &fe);
		else
			add_edge(g, from, node_of_id(g, fe.id, g->nodes[from].depth + 1), EDGE_ENTRY,
			    label);
	}
}

static void follow_names(struct graph *g, unsigned int from, twzobj *o)
{
	unsigned int depth = g->nodes[from].depth + 1;
	struct twz_name_ent *e;
	ssize_t n;

	for (size_t pos = 0; !g->cut && (n = twz_hier_get_entry(o, pos, &e)) > 0; pos += (size_t)n)
		if ((e->flags & NAME_ENT_VALID) && strcmp(e->name, ".") && strcmp(e->name, "..") &&
		    e->type != NAME_ENT_SYMLINK)
			add_edge(g, from, node_of_id(g, e->id, depth), EDGE_NAME, e->name);
}

struct visited {
	struct graph *g;
	unsigned int at;
};

static void follow(twzobj *o, void *arg)
{
	const struct visited *v = arg;
	struct node *n = &v->g->nodes[v->at];

	describe_exts(n, o);
	if (is_namespace(o)) {
		n->kind = NODE_NAMES;
		follow_names(v->g, v->at, o);
	}
	follow_entries(v->g, v->at, o);
}

static void expand(struct graph *g, unsigned int at)
{
	struct visited v = { g, at };
	struct node *n = &g->nodes[at];

	if (n->kind != NODE_OBJECT)
		return;
	if (n->depth == g->depth)
		add_about(n, "not opened");
	else if (!visit(n->id, follow, &v))
		n->kind = NODE_CLOSED;
}

struct options {
	const char *start;
	bool svg;
	uint64_t depth;
};

static bool parse(int argc, char **argv, struct options *want)
{
	for (int i = 0; i < argc; i++) {
		if (strcmp(argv[i], "--svg") == 0)
			want->svg = true;
		else if (strcmp(argv[i], "--depth") == 0 && i + 1 < argc &&
		    parse_number(argv[i + 1], &want->depth) && want->depth <= GRAPH_NODES)
			i++;
		else if (strncmp(argv[i], "--", 2) == 0 || want->start)
			return false;
		else
			want->start = argv[i];
	}
	return true;
}

int command_graph(int argc, char **argv)
{
	static struct graph g;
	struct options want = { .depth = DEPTH };
	struct kernel_ostat st;
	objid_t id;

	if (!parse(argc, argv, &want)) {
		refuse("graph", "wants [OBJ] [--svg] [--depth N]");
		return USAGE;
	}
	if (!find_object(want.start ? want.start : "/", &id, &st))
		return REFUSED;
	g.depth = (unsigned int)want.depth;
	names_collect();
	node_of_id(&g, id, 0);
	for (unsigned int i = 0; i < g.node_count; i++)
		expand(&g, i);
	if (want.svg)
		graph_print_svg(&g);
	else
		graph_print_dot(&g);
	return DONE;
}
