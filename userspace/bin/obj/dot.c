// SPDX-License-Identifier: BSD-3-Clause
/* A graph in the language of Graphviz's dot. */
#include "graph.h"

#include <base/string.h>

static void print_quoted(const char *text)
{
	for (; *text; text++)
		say(*text == '"' || *text == '\\' ? "\\%c" : "%c", *text);
}

static void print_node(const struct graph *g, unsigned int i)
{
	static const char *const looks[] = {
		[NODE_OBJECT] = "shape=box",
		[NODE_NAMES] = "shape=folder, style=filled, fillcolor=\"#dbe9ff\"",
		[NODE_GONE] = "shape=box, style=dashed, color=red",
		[NODE_UNRESOLVED] = "shape=ellipse, style=dashed, color=gray",
		[NODE_CLOSED] = "shape=box, style=filled, fillcolor=gray",
	};
	const struct node *n = &g->nodes[i];

	say("\tn%u [%s%s, label=\"", i, looks[n->kind], i ? "" : ", penwidth=2");
	print_quoted(n->name);
	if (n->kind != NODE_UNRESOLVED)
		say("%s" IDFMT, n->name[0] ? "\\n" : "", IDPR(n->id));
	say("\\n");
	print_quoted(n->about);
	say("\"];\n");
}

static void print_edge(const struct edge *e)
{
	static const char *const looks[] = {
		[EDGE_ENTRY] = "solid",
		[EDGE_BY_NAME] = "bold",
		[EDGE_NAME] = "dashed",
	};

	say("\tn%u -> n%u [style=%s, label=\"", e->from, e->to, looks[e->kind]);
	print_quoted(e->label);
	if (e->count > 1)
		say(" and %u more", e->count - 1);
	say("\"];\n");
}

void graph_print_dot(const struct graph *g)
{
	say("digraph objects {\n\trankdir=LR;\n\tnode [fontname=\"sans-serif\", fontsize=10];\n"
	    "\tedge [fontname=\"sans-serif\", fontsize=9];\n");
	for (unsigned int i = 0; i < g->node_count; i++)
		print_node(g, i);
	for (unsigned int i = 0; i < g->edge_count; i++)
		print_edge(&g->edges[i]);
	if (g->cut)
		say("\tmore [shape=plaintext, label=\"there is more\"];\n");
	say("}\n");
}
