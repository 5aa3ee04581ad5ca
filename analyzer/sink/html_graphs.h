/*
 * html_graphs: the segments that the HTML page draws time-sequence graphs from, as a data block.
 *
 *     {"verdicts":[...],"connections":[
 *       {"uid":"...","start":"...","segments":9,"notes":[[packet,level,event,says],...],
 *        "rows":[[packet,t,from,flags,seq,ack,len,win,verdict],...]},...],"left_out":0}
 *
 * A row is a lastack.segment record: t in ns since start, from 0 for the client, seq and ack
 * relative unless flags has SEQ_ABSOLUTE or ACK_ABSOLUTE, verdict an index.  Of a long connection
 * quiet segments are thinned out; segments tells how many there were.  left_out counts connections
 * that are in the page without their segments, for want of room.
 */
#ifndef LASTACK_SINK_HTML_GRAPHS_H
#define LASTACK_SINK_HTML_GRAPHS_H

#include "ladder_book.h"
#include "output.h"

/* Above the flags of the header. */
enum { GRAPH_SEQ_ABSOLUTE = 0x100, GRAPH_ACK_ABSOLUTE = 0x200 };

struct html_graphs {
    const struct ladder_book *book;
    uint64_t *uids; /* of the connections in the page; sorted by html_graphs_write */
    uint32_t uid_count;
    bool nano;
    uint64_t left_out; /* connections without their segments, counted by html_graphs_write */
};

/* Writes the block, those with the worst problems first while there is room. */
enum status html_graphs_write(struct html_graphs *graphs, struct output *output);

#endif
