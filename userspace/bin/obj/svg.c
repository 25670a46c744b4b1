// SPDX-License-Identifier: BSD-3-Clause
/*
 * A graph as a picture. Columns are the distances from the start; within a column, objects are
 * sorted by where the arrows to them come from, a few times over, which leaves few crossings.
 * Coordinates are whole pixels.
 */
#include "graph.h"

#include <base/printf.h>
#include <base/string.h>

#define WIDTH 280 /* of a box */
#define COLUMN_GAP 160
#define ROW_GAP 22
#define LEAST_HEIGHT 58
#define PORT 15 /* between two arrows at one box */
#define MARGIN 24
#define LEGEND 40
#define SWEEPS 6

struct box {
	int x, y, height;
	int out, in; /* arrows that begin and end here */
	long weight; /* where it wants to be */
};

static struct box boxes[GRAPH_NODES];
static unsigned int order[GRAPH_NODES]; /* nodes by column, then by place in it */

static bool before(const struct graph *g, unsigned int a, unsigned int b)
{
	if (g->nodes[a].depth != g->nodes[b].depth)
		return g->nodes[a].depth < g->nodes[b].depth;
	return boxes[a].weight < boxes[b].weight;
}

/* Insertion sort: stable, and the tables are small. */
static void sort(const struct graph *g)
{
	for (unsigned int i = 1; i < g->node_count; i++) {
		unsigned int node = order[i], k = i;

		for (; k && before(g, node, order[k - 1]); k--)
			order[k] = order[k - 1];
		order[k] = node;
	}
}

static void measure(const struct graph *g)
{
	for (unsigned int i = 0; i < g->node_count; i++) {
		boxes[i] = (struct box){ 0 };
		order[i] = i;
	}
	for (unsigned int i = 0; i < g->edge_count; i++) {
		boxes[g->edges[i].from].out++;
		boxes[g->edges[i].to].in++;
	}
	for (unsigned int i = 0; i < g->node_count; i++) {
		int ports = boxes[i].out > boxes[i].in ? boxes[i].out : boxes[i].in;
		int wanted = (ports + 1) * PORT;

		boxes[i].height = wanted > LEAST_HEIGHT ? wanted : LEAST_HEIGHT;
	}
}

static int column_height(const struct graph *g, unsigned int depth)
{
	int height = 0;

	for (unsigned int i = 0; i < g->node_count; i++)
		if (g->nodes[i].depth == depth)
			height += boxes[i].height + ROW_GAP;
	return height;
}

static unsigned int columns(const struct graph *g)
{
	unsigned int most = 0;

	for (unsigned int i = 0; i < g->node_count; i++)
		most = g->nodes[i].depth > most ? g->nodes[i].depth : most;
	return most + 1;
}

static int tallest(const struct graph *g)
{
	int most = 0;

	for (unsigned int d = 0; d < columns(g); d++)
		most = column_height(g, d) > most ? column_height(g, d) : most;
	return most;
}

/* Give every box its place; columns are centred. */
static void place(const struct graph *g)
{
	int y = 0;

	for (unsigned int i = 0; i < g->node_count; i++) {
		unsigned int depth = g->nodes[order[i]].depth;

		if (i == 0 || g->nodes[order[i - 1]].depth != depth)
			y = MARGIN + (tallest(g) - column_height(g, depth)) / 2;
		boxes[order[i]].x = MARGIN + (int)depth * (WIDTH + COLUMN_GAP);
		boxes[order[i]].y = y;
		y += boxes[order[i]].height + ROW_GAP;
	}
}

/* Every box wants to be where its neighbours are, on average. */
static void weigh(const struct graph *g, bool forward)
{
	for (unsigned int i = 0; i < g->node_count; i++) {
		long sum = 0, count = 0;

		for (unsigned int k = 0; k < g->edge_count; k++) {
			unsigned int here = forward ? g->edges[k].to : g->edges[k].from;
			unsigned int there = forward ? g->edges[k].from : g->edges[k].to;

			if (here != i || g->nodes[there].depth == g->nodes[i].depth)
				continue;
			sum += boxes[there].y + boxes[there].height / 2;
			count++;
		}
		boxes[i].weight = count ? sum / count : boxes[i].y + boxes[i].height / 2;
	}
}

static void lay_out(const struct graph *g)
{
	measure(g);
	sort(g);
	place(g);
	for (int i = 0; i < SWEEPS; i++) {
		weigh(g, i % 2 == 0);
		sort(g);
		place(g);
	}
}

static void print_escaped(const char *text)
{
	for (; *text; text++) {
		if (*text == '<')
			say("&lt;");
		else if (*text == '>')
			say("&gt;");
		else if (*text == '&')
			say("&amp;");
		else
			say("%c", *text);
	}
}

static void print_text(int x, int y, const char *class, const char *text)
{
	say("<text x=\"%d\" y=\"%d\" class=\"%s\">", x, y, class);
	print_escaped(text);
	say("</text>\n");
}

static void print_box(const struct graph *g, unsigned int i)
{
	static const char *const classes[] = {
		[NODE_OBJECT] = "object", [NODE_NAMES] = "names", [NODE_GONE] = "gone",
		[NODE_UNRESOLVED] = "open", [NODE_CLOSED] = "closed",
	};
	const struct node *n = &g->nodes[i];
	const struct box *b = &boxes[i];
	int y = b->y + b->height / 2 - 12;
	char id[40];

	say("<rect x=\"%d\" y=\"%d\" width=\"%d\" height=\"%d\" rx=\"%d\" class=\"%s%s\"/>\n",
	    b->x, b->y, WIDTH, b->height, n->kind == NODE_UNRESOLVED ? 26 : 4,
	    classes[n->kind], i ? "" : " start");
	if (n->name[0])
		print_text(b->x + 12, y, "name", n->name);
	if (n->kind != NODE_UNRESOLVED) {
		snprintf(id, sizeof(id), IDFMT, IDPR(n->id));
		print_text(b->x + 12, n->name[0] ? y + 16 : y + 8, "id", id);
	}
	print_text(b->x + 12, y + (n->name[0] ? 31 : 25), "about", n->about);
}

/* Where an arrow begins or ends: in the order of the boxes at the other ends, so that few cross. */
static int port(const struct graph *g, const struct edge *e, bool begins)
{
	unsigned int here = begins ? e->from : e->to, there = begins ? e->to : e->from;
	const struct box *b = &boxes[here];
	int rank = 0;

	for (const struct edge *k = g->edges; k < g->edges + g->edge_count; k++) {
		int y = boxes[begins ? k->to : k->from].y;

		if ((begins ? k->from : k->to) == here &&
		    (y < boxes[there].y || (y == boxes[there].y && k < e)))
			rank++;
	}
	return b->y + b->height * (rank + 1) / ((begins ? b->out : b->in) + 1);
}

/* Arrows to the right leave at the right; those within a column bow out; those back leave left. */
static void print_arrow(const struct graph *g, const struct edge *e)
{
	static const char *const classes[] = {
		[EDGE_ENTRY] = "entry", [EDGE_BY_NAME] = "byname", [EDGE_NAME] = "named",
	};
	const struct box *a = &boxes[e->from], *b = &boxes[e->to];
	int y1 = port(g, e, true), y2 = port(g, e, false);
	bool back = b->x < a->x, same = b->x == a->x;
	int x1 = back ? a->x : a->x + WIDTH, x2 = back || same ? b->x + WIDTH : b->x;
	int bow = same ? 70 : back ? -COLUMN_GAP / 2 : (x2 - x1) / 2;

	say("<path d=\"M%d %d C%d %d %d %d %d %d\" class=\"%s\" marker-end=\"url(#tip)\"/>\n", x1, y1,
	    x1 + bow, y1, x2 + (same ? bow : -bow), y2, x2, y2, classes[e->kind]);
}

/* At the arrow's tip, where arrows that begin together have parted. */
static void print_label(const struct graph *g, const struct edge *e)
{
	const struct box *a = &boxes[e->from], *b = &boxes[e->to];
	bool right = b->x <= a->x;
	char label[2 * LABEL];

	snprintf(label, sizeof(label), e->count > 1 ? "%s and %u more" : "%s", e->label, e->count - 1);
	say("<text x=\"%d\" y=\"%d\" text-anchor=\"%s\" class=\"edge\">",
	    right ? b->x + WIDTH + 14 : b->x - 12, port(g, e, false) - 4, right ? "start" : "end");
	print_escaped(label);
	say("</text>\n");
}

static void print_style(void)
{
	say("<defs><marker id=\"tip\" viewBox=\"0 0 8 8\" refX=\"8\" refY=\"4\" markerWidth=\"8\" "
	    "markerHeight=\"8\" orient=\"auto\"><path d=\"M0 0L8 4L0 8z\"/>"
	    "</marker></defs>\n"
	    "<style>text{font-family:sans-serif;font-size:12px;fill:#222}"
	    ".id{font-family:monospace;font-size:11px;fill:#555}.name{font-weight:bold}"
	    ".about{font-size:11px;fill:#555}"
	    ".edge{font-size:11px;fill:#036;paint-order:stroke;stroke:#fff;stroke-width:3px}\n"
	    "rect{stroke:#444;stroke-width:1;fill:#fff}rect.names{fill:#dbe9ff}"
	    "rect.gone{stroke:#c00;stroke-dasharray:5 3;fill:#fff0f0}"
	    "rect.open{stroke:#888;stroke-dasharray:3 3;fill:#fafafa}rect.closed{fill:#ddd}"
	    "rect.start{stroke-width:2.5}\n"
	    "path{fill:none;stroke:#555;stroke-width:1.3}"
	    "marker path{fill:#555;stroke:none}.byname{stroke:#070;stroke-width:2}"
	    ".named{stroke:#36c;stroke-dasharray:5 3}</style>\n");
}

static void print_legend(const struct graph *g, int y)
{
	print_text(MARGIN, y, "about", "line: foreign entry (number, rights); thick: entry by "
	    "name; dashed: a name in a namespace; red: does not exist");
	if (g->cut)
		print_text(MARGIN, y + 16, "about", "There is more than this picture holds.");
}

void graph_print_svg(const struct graph *g)
{
	int width = 2 * MARGIN + (int)columns(g) * (WIDTH + COLUMN_GAP) - COLUMN_GAP / 2;
	int height;

	lay_out(g);
	height = 2 * MARGIN + tallest(g) + LEGEND;
	say("<svg xmlns=\"http://www.w3.org/2000/svg\" width=\"%d\" height=\"%d\" "
	    "viewBox=\"0 0 %d %d\">\n", width, height, width, height);
	print_style();
	say("<rect width=\"%d\" height=\"%d\" style=\"stroke:none\"/>\n", width, height);
	for (unsigned int i = 0; i < g->edge_count; i++)
		print_arrow(g, &g->edges[i]);
	for (unsigned int i = 0; i < g->edge_count; i++)
		print_label(g, &g->edges[i]);
	for (unsigned int i = 0; i < g->node_count; i++)
		print_box(g, i);
	print_legend(g, height - LEGEND);
	say("</svg>\n");
}
