/*
 * Fuzzes the reader of TCP options against a second, plain one: the first octet says how many
 * octets of options the header has, the rest is what was captured of them.
 */
#include "../../dissect/tcp.h"
#include "claim.h"
#include "script.h"

enum { MOST = 40 };

/* What the plain reader keeps of an option: its length, by kind, of the last that fits. */
struct plain {
    const uint8_t *last[256];
    uint32_t malformed, cut;
};

/* As RFC 9293 3.2 steps from option to option, without any check of what is inside. */
static void plain_read(const uint8_t *octets, uint32_t captured, uint32_t length,
                       struct plain *plain)
{
    uint32_t at = 0;
    while (at < length) {
        plain->cut = at >= captured;
        if (plain->cut || octets[at] == 0)
            return;
        if (octets[at] == 1) {
            at++;
            continue;
        }
        plain->malformed = at + 1 >= length;
        plain->cut = !plain->malformed && at + 1 >= captured;
        if (plain->malformed || plain->cut)
            return;
        plain->malformed = octets[at + 1] < 2 || at + octets[at + 1] > length;
        plain->cut = !plain->malformed && at + octets[at + 1] > captured;
        if (plain->malformed || plain->cut)
            return;
        static const uint8_t fixed[9] = {[2] = 4, [3] = 3, [4] = 2, [8] = 10};
        uint8_t kind = octets[at];
        bool fits = kind < 9 && fixed[kind] != 0 ? octets[at + 1] == fixed[kind]
                                                 : kind == 5 && octets[at + 1] % 8 == 2 &&
                                                       octets[at + 1] >= 10 && octets[at + 1] <= 34;
        if (fits)
            plain->last[kind] = octets + at;
        at += octets[at + 1];
    }
}

static uint32_t number_at(const uint8_t *at, int octets)
{
    uint32_t value = 0;
    while (octets-- > 0)
        value = value << 8 | *at++;
    return value;
}

static void claim_same(const struct segment *segment, const struct plain *plain)
{
    static const struct {
        uint8_t kind;
        uint16_t bit;
    } kinds[] = {{2, OPTION_MSS},
                 {3, OPTION_WINDOW_SCALE},
                 {4, OPTION_SACK_PERMITTED},
                 {5, OPTION_SACK},
                 {8, OPTION_TIMESTAMPS}};
    for (size_t i = 0; i < sizeof kinds / sizeof kinds[0]; i++)
        CLAIM(((segment->options & kinds[i].bit) != 0) == (plain->last[kinds[i].kind] != NULL),
              "kind %u", kinds[i].kind);
    const uint8_t *const *last = plain->last;
    CLAIM(last[2] == NULL || segment->mss == number_at(last[2] + 2, 2), "%u", segment->mss);
    CLAIM(last[3] == NULL || segment->window_scale == last[3][2], "%u", segment->window_scale);
    CLAIM(last[8] == NULL || segment->tsval == number_at(last[8] + 2, 4), "%u", segment->tsval);
    CLAIM(last[8] == NULL || segment->tsecr == number_at(last[8] + 6, 4), "%u", segment->tsecr);
    CLAIM(segment->sacks == (last[5] == NULL ? 0 : (last[5][1] - 2) / 8), "%u", segment->sacks);
    for (int i = 0; i < segment->sacks; i++)
        CLAIM(segment->sack[i].left == number_at(last[5] + 2 + 8 * i, 4) &&
                  segment->sack[i].right == number_at(last[5] + 6 + 8 * i, 4),
              "block %d", i);
}

int LLVMFuzzerTestOneInput(const uint8_t *octets, size_t size)
{
    struct script script = {octets, size};
    uint32_t length = script_u8(&script) % (MOST + 1);
    uint32_t captured = script.left < length ? (uint32_t)script.left : length;
    struct segment segment = {0};
    struct plain plain = {0};
    uint8_t *exact = malloc(captured > 0 ? captured : 1);
    memcpy(exact, script.at, captured);
    tcp_options_read((struct view){exact, captured}, length, &segment);
    plain_read(exact, captured, length, &plain);
    CLAIM(((segment.options & OPTION_CUT) != 0) == plain.cut, "cut: %u", plain.cut);
    CLAIM(plain.malformed == 0 || (segment.options & OPTION_MALFORMED) != 0, "malformed");
    CLAIM(segment.sacks <= SEGMENT_SACKS, "%u", segment.sacks);
    claim_same(&segment, &plain);
    free(exact);
    return 0;
}
