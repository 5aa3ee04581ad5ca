/* workload: see workload.h. */
#include "workload.h"

#include <stddef.h>
#include <string.h>

#include "frame.h"

enum { S = FRAME_SYN, A = FRAME_ACK, P = FRAME_PSH | FRAME_ACK, F = FRAME_FIN | FRAME_ACK };

/* clang-format off */
static const struct script handshake = {
    3, {{CLIENT, S,     NOTHING, WIRE},
        {SERVER, S | A, NOTHING, WIRE},
        {CLIENT, A,     NOTHING, WIRE}},
};

static const struct script lone_syn = {
    1, {{CLIENT, S, NOTHING, WIRE}},
};

static const struct script question_and_answer[] = {
    {3, {{CLIENT, P, REQUEST,  THINK},
         {SERVER, P, RESPONSE, THINK},
         {CLIENT, A, NOTHING,  WIRE}}},
    {4, {{CLIENT, P, REQUEST,  THINK},
         {SERVER, A, NOTHING,  WIRE},
         {SERVER, P, RESPONSE, THINK},
         {CLIENT, A, NOTHING,  WIRE}}},
    {5, {{CLIENT, P, REQUEST,  THINK},
         {SERVER, A, NOTHING,  WIRE},
         {SERVER, A, RESPONSE, THINK},
         {SERVER, P, RESPONSE, WIRE},
         {CLIENT, A, NOTHING,  WIRE}}},
    {0, {{CLIENT, 0, NOTHING, WIRE}}},
};

static const struct script download[] = {
    {3, {{SERVER, A, RESPONSE, WIRE},
         {SERVER, P, RESPONSE, WIRE},
         {CLIENT, A, NOTHING,  WIRE}}},
    {0, {{CLIENT, 0, NOTHING, WIRE}}},
};

static const struct script orderly[] = {
    {4, {{CLIENT, F, NOTHING, THINK},
         {SERVER, A, NOTHING, WIRE},
         {SERVER, F, NOTHING, WIRE},
         {CLIENT, A, NOTHING, WIRE}}},
    {3, {{CLIENT, F, NOTHING, THINK},
         {SERVER, F, NOTHING, WIRE},
         {CLIENT, A, NOTHING, WIRE}}},
    {4, {{SERVER, F, NOTHING, THINK},
         {CLIENT, A, NOTHING, WIRE},
         {CLIENT, F, NOTHING, WIRE},
         {SERVER, A, NOTHING, WIRE}}},
    {3, {{SERVER, F, NOTHING, THINK},
         {CLIENT, F, NOTHING, WIRE},
         {SERVER, A, NOTHING, WIRE}}},
};

static const struct script nothing[] = {
    {0, {{CLIENT, 0, NOTHING, WIRE}}},
};

#define SMALL   {80, 120, 180, 300}, {100, 200, 400, 700}
#define VARIED  {40, 80, 200, 536}, {40, 536, 1448, 1448}
#define HALVES  {512, 512, 512, 512}, {512, 512, 512, 512}
#define LARGE   {1448, 1448, 1448, 1448}, {1448, 1448, 1448, 1448}

const struct workload workloads[] = {
    {"short", "connections of some ten packets", &handshake, question_and_answer, orderly,
     SMALL, 1, 500000, false, false,
     {.connections = 1000000, .live = 50000, .span = 100, .snaplen = 262144}},
    {"tail", "most as short ones, a few of any length; 3 % on ports used before", &handshake,
     question_and_answer, orderly,
     SMALL, 3, 500000, false, true,
     {.connections = 500000, .live = 50000, .span = 100, .snaplen = 262144, .reuse = 3}},
    {"single", "one long connection", &handshake, download, orderly,
     HALVES, 0, 10000, false, false,
     {.connections = 1, .live = 1, .span = 1, .packets = 10000000, .snaplen = 262144}},
    {"headers", "some 50 packets a connection, cut after the headers", &handshake,
     question_and_answer, orderly,
     VARIED, 10, 500000, false, false,
     {.connections = 100000, .live = 20000, .span = 300, .snaplen = 96}},
    {"mixed", "some 50 packets a connection, of all sizes", &handshake, question_and_answer,
     orderly,
     VARIED, 10, 500000, false, false,
     {.connections = 100000, .live = 20000, .span = 300, .snaplen = 262144}},
    {"bulk", "a few connections of full segments", &handshake, download, orderly,
     LARGE, 0, 100000, false, false,
     {.connections = 64, .live = 64, .span = 1, .packets = 3000000, .snaplen = 262144}},
    {"flood", "SYNs that nobody answers, each from another source", &lone_syn, nothing, nothing,
     SMALL, 1, 0, true, false,
     {.connections = 3000000, .live = 1, .span = 30, .snaplen = 262144}},
    {0},
};
/* clang-format on */

const struct workload *workload_find(const char *name)
{
    for (const struct workload *workload = workloads; workload->name != NULL; workload++)
        if (strcmp(workload->name, name) == 0)
            return workload;
    return NULL;
}

uint32_t workload_count_scripts(const struct script *scripts)
{
    uint32_t count = 0;
    while (count < SCRIPTS_MAX && scripts[count].steps != 0)
        count++;
    return count;
}
