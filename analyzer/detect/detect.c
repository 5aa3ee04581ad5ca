/* detect: see detect.h. */
#include "detect.h"

#include "detectors.h"

static const struct detector detectors[] = {
#define DETECTOR(name, kind, hook) {#name, kind, hook},
#include "detectors.def"
#undef DETECTOR
};

void detect(struct occasion *occasion)
{
    for (unsigned i = 0; i < sizeof(detectors) / sizeof(detectors[0]); i++) {
        if (detectors[i].kind == occasion->kind)
            detectors[i].hook(occasion);
    }
}
