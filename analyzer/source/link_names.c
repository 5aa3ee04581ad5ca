/* link_names: link types by libpcap's names. */
#include <pcap/pcap.h>

#include "source.h"

const char *source_link_type_name(int link_type)
{
    const char *name = pcap_datalink_val_to_name(link_type);
    return name != NULL ? name : "UNKNOWN";
}
