/* fanout: see fanout.h. */
#include "fanout.h"

#include <linux/if_packet.h>
#include <sys/socket.h>

enum { TYPE_SHIFT = 16, GROUP_MASK = 0xffff }; /* packet(7): the group's number, then its type */

static bool ask(int fd, uint16_t group, int type)
{
    int wanted = type << TYPE_SHIFT | group;
    return setsockopt(fd, SOL_PACKET, PACKET_FANOUT, &wanted, sizeof wanted) == 0;
}

bool fanout_begin(int fd, uint16_t *ret_group)
{
    int made = 0;
    socklen_t size = sizeof made;
    /* The kernel chooses a number that no other program has. */
    if (!ask(fd, 0, PACKET_FANOUT_HASH | PACKET_FANOUT_FLAG_UNIQUEID))
        return false;
    if (getsockopt(fd, SOL_PACKET, PACKET_FANOUT, &made, &size) != 0)
        return false;
    *ret_group = (uint16_t)(made & GROUP_MASK);
    return true;
}

bool fanout_join(int fd, uint16_t group)
{
    return ask(fd, group, PACKET_FANOUT_HASH);
}
