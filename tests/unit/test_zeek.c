/*
 * test_zeek: every conn_state and every history letter, from short scripts of segments.
 *
 * A script is words such as ">S0 <SA0/1 >A1/1 >A1+10/1": direction, flags (S A F R), sequence
 * number, +payload, /acknowledgment, then any of w (zero window), c (wrong checksum), t (payload
 * cut by the capture), o (options cut by the capture), and *N to send it N times.  '>' is the end
 * at port 40000 unless the case names ports, '<' the one at port 80; numbers count from the ISS of
 * each.  Every script runs again with the ends numbered the other way and with ISSs below 2^32.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

#include "../../analyzer/tcp/zeek.h"

#define HANDSHAKE ">S0 <SA0/1 >A1/1 "

struct script {
    const char *segments;
    const char *state;
    const char *history;
};

struct setting {
    uint16_t port[2]; /* of '>' and of '<' */
    uint32_t iss[2];
    int first; /* number of the end '>' */
};

static const struct setting plain = {{40000, 80}, {1000, 500000}, 0};

/* clang-format off */
static const struct script states[] = {
    {">S0",                                            "S0",     "S"},
    {">S0 >S0 >S0",                                    "S0",     "S"},
    {HANDSHAKE,                                        "S1",     "ShA"},
    {HANDSHAKE ">A1+10/1 <A1/11 <A1+5/11",             "S1",     "ShADad"},
    {HANDSHAKE ">FA1/1 <A1/2 <FA1/2 >A2/2",            "SF",     "ShAFaf"},
    {HANDSHAKE "<FA1/1 >FA1/2 <A2/2",                  "SF",     "ShAfFa"},
    {">S0 <RA0/1",                                     "REJ",    "Sr"},
    {">S0 <RA0/1 >R1",                                 "REJ",    "SrR"},
    {HANDSHAKE ">FA1/1 <A1/2",                         "S2",     "ShAFa"},
    {HANDSHAKE "<FA1/1 >A1/2",                         "S3",     "ShAf"},
    {HANDSHAKE ">RA1/1",                               "RSTO",   "ShAR"},
    {HANDSHAKE "<RA1/1",                               "RSTR",   "ShAr"},
    {HANDSHAKE ">A1+9/1 <RA1/10 >R10",                 "RSTR",   "ShADrR"},
    {">S0 >R1",                                        "RSTOS0", "SR"},
    {">S0 <A77/99 >R99",                               "RSTOS0", "SaR"},   /* half-open, found */
    {">S0 >A1/1 >R1",                                  "OTH",    "SAR"},
    {"<SA0/1 <R1",                                     "RSTRH",  "^hr"},
    {">S0 >FA1/1",                                     "SH",     "SF"},
    {"<SA0/1 <FA1/1",                                  "SHR",    "^hf"},
    {">A5+10/5 <A5/15",                                "OTH",    "Da"},
    {">A5+10/5 <FA5/15 >FA15/6",                       "SF",     "DfF"},
    {">A5+10/5 >RA15/5",                               "OTH",    "DR"},
    {">A5+10/5 <RA5/15",                               "RSTRH",  "Dr"},
    {">A5+10/5 >S99",                                  "S0",     "DS"},    /* SYN after partial */
};

static const struct script endings[] = {
    /* A reset after both FINs changes nothing, a reset between them counts until the other FIN. */
    {HANDSHAKE ">FA1/1 <FA1/2 >A2/2 <R2",              "SF",     "ShAFfr"},
    {HANDSHAKE ">FA1/1 >R2",                           "RSTO",   "ShAFR"},
    {HANDSHAKE ">FA1/1 >R2 <FA1/2",                    "SF",     "ShAFRf"},
    {HANDSHAKE "<FA1/1 >R1",                           "RSTO",   "ShAfR"},
    /* Nothing after a reset counts but its letter. */
    {HANDSHAKE ">R1 <A1+7/1",                          "RSTO",   "ShARd"},
};

static const struct script letters[] = {
    {HANDSHAKE ">A1+10/1 >A1+10/1",                    "S1",     "ShADT"},
    {HANDSHAKE "<A1+10/1*10",                          "S1",     "ShAdt"},
    {HANDSHAKE "<A1+10/1*11",                          "S1",     "ShAdtt"},
    {HANDSHAKE "<A1+10/1*101",                         "S1",     "ShAdttt"},
    {HANDSHAKE ">A1/1w",                               "S1",     "ShAW"},
    {HANDSHAKE "<A1/1w*10",                            "S1",     "ShAaww"},
    {HANDSHAKE ">FA1/1 <A1/2w",                        "S2",     "ShAFa"}, /* nothing more to come */
    {HANDSHAKE ">FA1/1 >A2/1w",                        "S2",     "ShAFW"}, /* still a window */
    {HANDSHAKE ">R1w >A1/1w",                          "RSTO",   "ShAR"},
    {">S0c",                                           "OTH",    "C"},
    {HANDSHAKE "<A1+10/1c*10",                         "S1",     "ShAcc"},
    {HANDSHAKE ">FR1",                                 "RSTO",   "ShAI"},
    {HANDSHAKE "<FR1*2",                               "RSTR",   "ShAi"},
    {">SF0",                                           "SH",     "Q"},
    {">S0 <SRA0/1",                                    "RSTR",   "Sq"},
    {HANDSHAKE ">FA1/1 >FA1/1",                        "S2",     "ShAF"},
    {HANDSHAKE ">FA1/1 >FA1+5/1",                      "S2",     "ShAFF"},
    {HANDSHAKE ">R1 >R1 >R9",                          "RSTO",   "ShARR"},
    {HANDSHAKE ">FA1/1 >S50 >S50 >S60",                "S2",     "ShAFSS"},
    {HANDSHAKE ">R1 >S50",                             "RSTO",   "ShARS"},
    {HANDSHAKE ">FA1/1 >S9000000 >A2+5/1",             "S2",     "ShAFSD"}, /* not believed */
    {">0 <0",                                          "OTH",    ""},     /* no flag at all */
    {HANDSHAKE ">A1+1/1o >A1/1",                       "S1",     "ShA"},
};

static const struct script holes[] = {
    {HANDSHAKE "<A11+10/1 >A1/21",                     "S1",     "ShAdg"},
    {HANDSHAKE "<A11+10/1 <A1+10/1 >A1/21",            "S1",     "ShAdt"}, /* late, not lost */
    {HANDSHAKE "<A11+10/1 >A1/1 >A1/1",                "S1",     "ShAd"},  /* not acknowledged */
    {HANDSHAKE ">A1/11",                               "S1",     "ShAg"},
    {HANDSHAKE "<A1+10/1 >A1/11 <FA21/1 >A1/22",       "S3",     "ShAdfg"},
    {HANDSHAKE "<FA1+5/1 >A1/7",                       "S3",     "ShAf"},  /* the FIN is no octet */
    {HANDSHAKE "<A1+10/1t >A1/11",                     "S1",     "ShAdg"},
    {HANDSHAKE "<A11+10/1 >RA1/21",                    "RSTO",   "ShAdR"},
    {HANDSHAKE ">A3+2/1 >A7+2/1 >A11+2/1 <A1/13",      "S1",     "ShADaG"},
    {HANDSHAKE "<A11+9/1 <A31+9/1 <A1+10/1 >A1/20 <A20+11/1 >A1/40", "S1", "ShAdt"},
    {HANDSHAKE "<A11+9/1 <A31+9/1 <A1+10/1 >A1/20 >A1/40",           "S1", "ShAdtg"},
    {HANDSHAKE "<A9001+9000/1 <A18001+9000/1 >A1/27001", "S1",   "ShAd"},  /* no ACK so far: unseen */
    {HANDSHAKE "<A1+9/1 >A1/10 <A90+9/1 >A1/99*12",    "S1",     "ShAdg"},
    {">S0 <A0/1 <SA0/1 >A1/1 <A1/2",                   "S1",     "SahA"},  /* octet 1 is a guess */
    {">S0 <A0/1 <SA0/1 >A1/1 <A1/5",                   "S1",     "SahAG"},
    {HANDSHAKE "<A1+9/1 >A1/10 <A10+11000000/1 <A11000020+9/1 >A1/11000029", "S1", "ShAd"},
    {">A5+10/5 <A5+1/15 >A25+9/6 <A6/34",              "OTH",    "Dda"},   /* half known */
};

static const struct script roles[] = {
    {"<A1+10/1",                                       "OTH",    "^d"},
    {"<A1/1 >A1+3/1 <A1/4",                            "OTH",    "^aD"},
    {"<SA0/1 >A1/1 >A1+10/1 <A1+5/11",                 "S1",     "^hADd"},
    {"<SA0/1 >R1",                                     "RSTO",   "^hR"},
    {"<FA1/1 >A1/2",                                   "SHR",    "^fA"},
};
/* clang-format on */

static uint8_t flag_of(char letter)
{
    switch (letter) {
    case 'S':
        return TCP_SYN;
    case 'A':
        return TCP_ACK;
    case 'F':
        return TCP_FIN;
    case 'R':
        return TCP_RST;
    }
    return 0;
}

static uint32_t number(const char **at)
{
    char *end;
    uint32_t value = (uint32_t)strtoul(*at, &end, 10);
    assert_ptr_not_equal(end, *at);
    *at = end;
    return value;
}

/* Reads one word into *segment; returns how often it is sent, negative with a wrong checksum. */
static int read_word(const char *word, const struct setting *setting, struct segment *segment)
{
    int from = *word == '<', times = 1, sign = 1;
    const char *at = word + 1;

    memset(segment, 0, sizeof *segment);
    segment->source_port = setting->port[from];
    segment->destination_port = setting->port[1 - from];
    segment->window = 8192;
    for (; flag_of(*at) != 0; at++)
        segment->flags |= flag_of(*at);
    segment->sequence = setting->iss[from] + number(&at);
    for (; *at != '\0' && *at != ' ';) {
        char what = *at++;
        if (what == '+')
            segment->payload = number(&at);
        else if (what == '/')
            segment->acknowledgment = setting->iss[1 - from] + number(&at);
        else if (what == '*')
            times = (int)number(&at);
        else if (what == 'w')
            segment->window = 0;
        else if (what == 't')
            segment->cut = 1;
        else if (what == 'o')
            segment->options = OPTION_CUT;
        else if (what == 'c')
            sign = -1;
        else
            fail_msg("script word %s: letter %c", word, what);
    }
    return sign * times;
}

static void run(struct zeek_view *view, const char *script, const struct setting *setting)
{
    struct segment segment;
    bool started = false;

    for (const char *word = script; *word != '\0'; word++) {
        int times = read_word(word, setting, &segment);
        int from = *word == '>' ? setting->first : 1 - setting->first;
        if (!started)
            zeek_view_start(view, &segment, from);
        started = true;
        for (; times > 0; times--)
            zeek_view_packet(view, &segment, from);
        for (; times < 0; times++)
            zeek_view_bad_checksum(view, from);
        word += strcspn(word, " ");
        if (*word == '\0')
            return;
    }
}

static void expect(const struct script *script, const struct setting *setting)
{
    struct zeek_view view;
    char history[ZEEK_HISTORY_SIZE];

    run(&view, script->segments, setting);
    zeek_view_history(&view, history, sizeof history);
    if (strcmp(zeek_view_state(&view), script->state) == 0 && strcmp(history, script->history) == 0)
        return;
    fail_msg("%s: %s %s, expected %s %s (iss %u %u, first %d)", script->segments,
             zeek_view_state(&view), history, script->state, script->history, setting->iss[0],
             setting->iss[1], setting->first);
}

static void expect_all(const struct script *scripts, size_t count)
{
    static const struct setting settings[] = {
        {{40000, 80}, {1000, 500000}, 0},
        {{40000, 80}, {1000, 500000}, 1},
        {{40000, 80}, {UINT32_MAX, UINT32_MAX - 1}, 0},
        {{40000, 80}, {UINT32_MAX - 12, UINT32_MAX - 9003}, 1},
        {{40000, 80}, {0x7ffffffb, 0x7ffffff0}, 0},
    };

    for (size_t i = 0; i < count; i++)
        for (size_t j = 0; j < sizeof settings / sizeof *settings; j++)
            expect(&scripts[i], &settings[j]);
}

static void every_state_has_its_name(void **state)
{
    (void)state;
    expect_all(states, sizeof states / sizeof *states);
}

static void resets_around_a_close_count_as_in_zeek(void **state)
{
    (void)state;
    expect_all(endings, sizeof endings / sizeof *endings);
}

static void every_letter_is_written_by_its_rule(void **state)
{
    (void)state;
    expect_all(letters, sizeof letters / sizeof *letters);
}

static void acknowledged_holes_are_gaps(void **state)
{
    (void)state;
    expect_all(holes, sizeof holes / sizeof *holes);
}

static void a_server_port_that_speaks_first_is_the_responder(void **state)
{
    struct zeek_view view;

    (void)state;
    expect_all(roles, sizeof roles / sizeof *roles);
    run(&view, "<A1+10/1 >A1/11", &plain);
    assert_int_equal(zeek_view_originator(&view), 0);
    assert_true(zeek_view_flipped(&view));
    run(&view, ">A1+10/1 <A1/11", &plain);
    assert_int_equal(zeek_view_originator(&view), 0);
    assert_false(zeek_view_flipped(&view));
}

static void two_server_ports_are_told_apart_by_number(void **state)
{
    static const struct setting both = {{6667, 80}, {1, 1}, 0}, high = {{22, 443}, {1, 1}, 0};
    static const struct script data = {"<A1+10/1", "OTH", "^d"};
    static const struct script data_from_higher = {"<A1+10/1", "OTH", "D"};
    static const struct script syn_ack = {"<SA0/1", "OTH", "H"};

    (void)state;
    expect(&data, &both);
    expect(&data_from_higher, &high);
    expect(&syn_ack, &both);
}

/* Without a server port to go by, a lone SYN-ACK may be a scan until somebody goes on. */
static void a_lone_syn_ack_flips_with_the_next_ack_or_data(void **state)
{
    static const struct setting unknown = {{40000, 40001}, {9, 99}, 1};
    static const struct script scripts[] = {
        {"<SA0/1", "OTH", "H"},
        {"<SA0/1 <SA0/1", "OTH", "H"},
        {"<SA0/1 >R1", "REJ", "Hr"},
        {"<SA0/1 >A1/1", "S1", "^hA"},
        {"<SA0/1 >A1+10/1 <A1/11", "S1", "^hDa"},
        {"<SA0/1 <A1/1 <FA1/1", "SHR", "^haf"},
        {"<SA0/1 >A1/1 >FA1/1 <FA1/2 >A2/2", "SF", "^hAFf"},
        {"<SA0/1 >S0 >A1/1", "S1", "Hs^A"},
    };
    struct zeek_view view;

    (void)state;
    for (size_t i = 0; i < sizeof scripts / sizeof *scripts; i++)
        expect(&scripts[i], &unknown);
    run(&view, "<SA0/1", &unknown);
    assert_int_equal(zeek_view_originator(&view), 0);
    run(&view, "<SA0/1 >A1/1", &unknown);
    assert_int_equal(zeek_view_originator(&view), 1);
    assert_true(zeek_view_flipped(&view));
}

/* A stream that passes 2^32 goes on; one that is 2^31 above its start before it does not. */
static void long_streams_wrap(void **state)
{
    static const struct setting low = {{40000, 80}, {10, 10}, 0};
    static const struct setting below = {{40000, 80}, {10, 0xf0000000}, 0};
    static const struct script jumps = {
        HANDSHAKE "<A1+9/1 >A1/10 <A1000000001+9/1 >A1/1000000001 <A2000000001+9/1 >A1/2000000010",
        "S1", "ShAdg"};
    static const char steps[] =
        HANDSHAKE ">A1/300000000 >A1/600000000 >A1/900000000 >A1/1200000000 >A1/1500000000 "
                  ">A1/1800000000 >A1/2100000000 >A1/2400000000 >A1/2700000000 >A1/3000000000";
    static const struct script ten_gaps = {steps, "S1", "ShAgg"};
    static const struct script seven_gaps = {steps, "S1", "ShAg"};
    static const struct script far_fin = {HANDSHAKE ">FA3000000000/1 >A3000000005+5/1", "S2",
                                          "ShAFD"};
    static const struct script far = {HANDSHAKE "<A1+9/1 >A1/10 >A1/3000000000", "S1", "ShAd"};
    static const struct script repeated = {
        HANDSHAKE "<A1+9/1 >A1/10 <A10+300000000/1 >A1/300000010 <A300000000+5/1", "S1", "ShAdt"};

    (void)state;
    expect(&jumps, &low);
    expect(&jumps, &below);
    expect(&ten_gaps, &below);
    expect(&seven_gaps, &low);
    expect(&far_fin, &low);
    expect(&far, &low);
    expect(&repeated, &below);
}

static void a_history_is_cut_to_its_room(void **state)
{
    struct zeek_view view;
    struct segment segment;
    char history[ZEEK_HISTORY_SIZE], tiny[4] = "xyz";

    (void)state;
    run(&view, HANDSHAKE ">FA1/1", &plain);
    read_word(">FA2/1", &plain, &segment);
    for (int i = 0; i < 100; i++) {
        segment.sequence++;
        zeek_view_packet(&view, &segment, 0);
    }
    zeek_view_history(&view, history, sizeof history);
    assert_int_equal(strlen(history), ZEEK_LETTERS);
    assert_int_equal(strspn(history + 3, "F"), ZEEK_LETTERS - 3);
    zeek_view_history(&view, tiny, sizeof tiny);
    assert_string_equal(tiny, "ShA");
    zeek_view_history(&view, tiny, 1);
    assert_string_equal(tiny, "");
    memcpy(tiny, "xyz", sizeof tiny);
    zeek_view_history(&view, tiny, 0);
    assert_string_equal(tiny, "xyz");
}

static void a_view_is_small(void **state)
{
    (void)state;
    assert_true(sizeof(struct zeek_view) <= 128);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_state_has_its_name),
        cmocka_unit_test(resets_around_a_close_count_as_in_zeek),
        cmocka_unit_test(every_letter_is_written_by_its_rule),
        cmocka_unit_test(acknowledged_holes_are_gaps),
        cmocka_unit_test(a_server_port_that_speaks_first_is_the_responder),
        cmocka_unit_test(two_server_ports_are_told_apart_by_number),
        cmocka_unit_test(a_lone_syn_ack_flips_with_the_next_ack_or_data),
        cmocka_unit_test(long_streams_wrap),
        cmocka_unit_test(a_history_is_cut_to_its_room),
        cmocka_unit_test(a_view_is_small),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
