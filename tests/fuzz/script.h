/* script: an input read piece by piece; what lies past its end reads as zero. */
#ifndef LASTACK_TESTS_SCRIPT_H
#define LASTACK_TESTS_SCRIPT_H

#include <stddef.h>
#include <stdint.h>
#include <string.h>

struct script {
    const uint8_t *at;
    size_t left;
};

static inline uint64_t script_number(struct script *script, unsigned octets)
{
    uint64_t value = 0;
    for (; octets > 0 && script->left > 0; octets--, script->left--)
        value = value << 8 | *script->at++;
    return value;
}

static inline uint8_t script_u8(struct script *script)
{
    return (uint8_t)script_number(script, 1);
}

static inline uint16_t script_u16(struct script *script)
{
    return (uint16_t)script_number(script, 2);
}

/* The next octets, as many as there are; *octets becomes how many. */
static inline const uint8_t *script_take(struct script *script, size_t *octets)
{
    const uint8_t *taken = script->at;
    *octets = *octets < script->left ? *octets : script->left;
    script->at += *octets;
    script->left -= *octets;
    return taken;
}

#endif
