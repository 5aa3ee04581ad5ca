/* digits: the tables; a row of a hundred numbers is made of ten of ten. */
#include "digits.h"

/* clang-format off */
#define ONES(tens, end) \
    tens "0" end tens "1" end tens "2" end tens "3" end tens "4" end \
    tens "5" end tens "6" end tens "7" end tens "8" end tens "9" end
#define TENS(hundreds, end) \
    ONES(hundreds "1", end) ONES(hundreds "2", end) ONES(hundreds "3", end) \
    ONES(hundreds "4", end) ONES(hundreds "5", end) ONES(hundreds "6", end) \
    ONES(hundreds "7", end) ONES(hundreds "8", end) ONES(hundreds "9", end)
#define HUNDRED(hundreds, end) ONES(hundreds "0", end) TENS(hundreds, end)
#define HUNDREDS(end) \
    HUNDRED("1", end) HUNDRED("2", end) HUNDRED("3", end) HUNDRED("4", end) HUNDRED("5", end) \
    HUNDRED("6", end) HUNDRED("7", end) HUNDRED("8", end) HUNDRED("9", end)

const char digit_triples[] = HUNDRED("0", "\0") HUNDREDS("\0");

const char digit_leads[] = ONES("", "\0\0\1") TENS("", "\0\2") HUNDREDS("\3");
