/* carried_text: see carried_text.h. */
#include "carried_text.h"

#include <stddef.h>
#include <string.h>

#include <json-c/json_object.h>
#include <json-c/json_tokener.h>

#include "../base/text.h"

/* json-c takes control characters in strings, which RFC 8259 (section 7) does not allow. */
static bool has_controls(const char *text)
{
    for (; *text != '\0'; text++) {
        if ((unsigned char)*text < ' ')
            return true;
    }
    return false;
}

bool carried_text_is_object(const char *text)
{
    if (has_controls(text))
        return false;
    struct json_tokener *tokener = json_tokener_new();
    if (tokener == NULL)
        return false;
    json_tokener_set_flags(tokener, JSON_TOKENER_STRICT | JSON_TOKENER_VALIDATE_UTF8);
    struct json_object *value = json_tokener_parse_ex(tokener, text, (int)strlen(text) + 1);
    bool good = json_tokener_get_error(tokener) == json_tokener_success &&
                json_object_is_type(value, json_type_object);
    json_object_put(value);
    json_tokener_free(tokener);
    return good;
}

/* The octets of a colour at the text's beginning (ECMA-48 SGR), 0 where there is none. */
static size_t colour_octets(const char *text)
{
    if (text[0] != '\x1b' || text[1] != '[')
        return 0;
    size_t length = 2 + strspn(text + 2, "0123456789;");
    return text[length] == 'm' ? length + 1 : 0;
}

/* The octets up to the next colour or line end. */
static size_t plain_octets(const char *text)
{
    return strcspn(text, "\x1b\n");
}

bool carried_text_is_prose(const char *text)
{
    while (*text != '\0') {
        size_t plain = plain_octets(text), colour = colour_octets(text + plain);
        bool ends = text[plain] == '\n' || text[plain] == '\0';
        if (!text_is_printable(text, plain) || (colour == 0 && !ends))
            return false;
        text += plain + (text[plain] == '\n' ? 1 : colour);
    }
    return true;
}
