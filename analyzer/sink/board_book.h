/* board_book: what the live page of a browser knows. */
#ifndef LASTACK_SINK_BOARD_BOOK_H
#define LASTACK_SINK_BOARD_BOOK_H

#include "board.h"
#include "html_parts.h"
#include "output.h"
#include "problems.h"
#include "recent.h"
#include "record_writer.h"

enum { BOARD_PROBLEMS = 500, BOARD_PROBLEMS_SHOWN = 40, BOARD_HOSTS_SHOWN = 40 };

struct board {
    struct sink sink; /* first, so that the one is the other */
    struct sink_options options;
    struct board_post post; /* .post is NULL: nobody listens */
    struct record_writer writer;
    struct recent recent;
    uint64_t events_posted, flows_posted[2]; /* of recent's, by number */
    struct dwell *dwell;
    struct problems *problems;
    struct html_counts counts;
    struct run_summary run; /* as of the latest stats record */
    struct printbuf *hosts; /* serialised list, without its end */
    uint32_t host_count;
    bool has_stats;
};

/* Posts what changes slowly: BOARD_REPORT and BOARD_PARTS. */
enum status board_post_whole(struct board *board);

#endif
