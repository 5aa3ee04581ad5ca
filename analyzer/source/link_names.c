/* link_names: link types by libpcap's names, and by the numbers that files have for them. */
#include <pcap/pcap.h>

#include "reader.h"
#include "source.h"

/* In files other systems number these link types otherwise than here. */
static const struct {
    uint32_t in_file;
    int here;
} renumbered[] = {
    {100, DLT_ATM_RFC1483}, {101, DLT_RAW},      {102, DLT_SLIP_BSDOS},
    {103, DLT_PPP_BSDOS},   {106, DLT_ATM_CLIP},
};

int link_type_of_file(uint32_t field)
{
    uint32_t in_file = field & 0x03ffffff; /* above: the length of the frame check sequence */
    for (size_t i = 0; i < sizeof renumbered / sizeof renumbered[0]; i++)
        if (renumbered[i].in_file == in_file)
            return renumbered[i].here;
    return (int)in_file;
}

const char *source_link_type_name(int link_type)
{
    const char *name = pcap_datalink_val_to_name(link_type);
    return name != NULL ? name : "UNKNOWN";
}
