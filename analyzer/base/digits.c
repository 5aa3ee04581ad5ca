/* digits: the table; a row of a hundred numbers is made of ten of ten. */
#include "digits.h"

/* clang-format off */
#define ONES(tens, zeroes) \
    tens "0" zeroes tens "1" zeroes tens "2" zeroes tens "3" zeroes tens "4" zeroes \
    tens "5" zeroes tens "6" zeroes tens "7" zeroes tens "8" zeroes tens "9" zeroes
#define HUNDRED(hundreds) \
    ONES(hundreds "0", "\0") ONES(hundreds "1", "\0") ONES(hundreds "2", "\0") ONES(hundreds "3", "\0") \
    ONES(hundreds "4", "\0") ONES(hundreds "5", "\0") ONES(hundreds "6", "\0") \
    ONES(hundreds "7", "\0") ONES(hundreds "8", "\0") ONES(hundreds "9", "\0")

const char digit_triples[] =
    ONES("00", "\2")
    ONES("01", "\1") ONES("02", "\1") ONES("03", "\1") ONES("04", "\1") ONES("05", "\1")
    ONES("06", "\1") ONES("07", "\1") ONES("08", "\1") ONES("09", "\1")
    HUNDRED("1") HUNDRED("2") HUNDRED("3") HUNDRED("4") HUNDRED("5")
    HUNDRED("6") HUNDRED("7") HUNDRED("8") HUNDRED("9");
