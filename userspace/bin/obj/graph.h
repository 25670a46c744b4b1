// SPDX-License-Identifier: BSD-3-Clause
/* A graph of objects: collected by graph.c, drawn by dot.c and svg.c. */
#ifndef OBJ_GRAPH_H
#define OBJ_GRAPH_H

#include "obj.h"

#define GRAPH_NODES 256
#define GRAPH_EDGES 1024
#define LABEL 64

enum node_kind {
	NODE_OBJECT,
	NODE_NAMES,      /* a namespace */
	NODE_GONE,       /* an ID that no object has */
	NODE_UNRESOLVED, /* a name in an entry that leads nowhere now; id is 0 */
	NODE_CLOSED,     /* it may not be read, or its metadata is not its own */
};

enum edge_kind {
	EDGE_ENTRY,   /* a foreign entry by ID */
	EDGE_BY_NAME, /* a foreign entry by name */
	EDGE_NAME,    /* an entry of a namespace */
};

struct node {
	objid_t id;
	enum node_kind kind;
	unsigned int depth; /* from the start */
	char name[LABEL];   /* a path, or "" */
	char about[LABEL];  /* what it is, in a few words */
};

struct edge {
	unsigned int from, to; /* nodes */
	enum edge_kind kind;
	unsigned int count; /* how many entries lead there */
	char label[LABEL];
};

struct graph {
	struct node nodes[GRAPH_NODES];
	struct edge edges[GRAPH_EDGES];
	unsigned int node_count, edge_count;
	unsigned int depth; /* how far objects are opened */
	bool cut;           /* there is more than the tables or the depth hold */
};

void graph_print_dot(const struct graph *g);
void graph_print_svg(const struct graph *g);

#endif
