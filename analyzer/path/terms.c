/* terms: see terms.h. */
#include "terms.h"

#include "joints.h"

struct terms terms_of(const struct pair_table *table, const struct pair *pairs, uint32_t number,
                      const struct crossing *crossing)
{
    struct terms terms = {.key = crossing->key};
    if (pair_table_has_first(table, number))
        return terms;
    const struct joint *own = pair_joint(&pairs[number], crossing->joint);
    uint32_t tap = table->tap[number][own->known[0] ? 0 : 1];
    const struct pair *with_first = &pairs[table->number[0][tap]];
    uint32_t index = joints_of_key(with_first, 1, &crossing->key);
    const struct joint *joint = index == 0 ? NULL : pair_joint(with_first, index);
    if (joint == NULL || !joint->known[0])
        return terms;
    terms.key = joint->key[0];
    terms.turned = joint->flipped[0] != joint->flipped[1];
    for (int end = 0; end < ENDS; end++)
        terms.shift[joint_first_end(joint, end)] = joint->shift[end];
    return terms;
}

void terms_apply(const struct terms *terms, struct crossing *crossing)
{
    crossing->key = terms->key;
    if (!terms->turned)
        return;
    uint32_t first = crossing->shift[0];
    crossing->end = 1 - crossing->end;
    crossing->shift[0] = crossing->shift[1];
    crossing->shift[1] = first;
}

struct crossing terms_from_afar(const struct terms *terms, const struct crossing *crossing)
{
    struct crossing afar = *crossing;
    int tap = crossing->at[0].packet != 0 ? 0 : 1;
    afar.at[1] = crossing->at[tap];
    afar.at[0].packet = 0;
    for (int end = 0; end < ENDS; end++)
        afar.shift[end] = terms->shift[end] + (tap == 1 ? crossing->shift[end] : 0);
    return afar;
}
