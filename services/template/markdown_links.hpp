// Addresses, entities and escaping of the Markdown renderer.
#pragma once

#include <string>
#include <string_view>

namespace notso::services {

void append_escaped(std::string& out, std::string_view text);
/// Appends a character reference ("&copy;", "&#65;") such that a browser shows the character; what
/// is none is text.
void append_entity(std::string& out, std::string_view entity);
/// The character of a numeric or common named reference; others stay as they are.
std::string decode_entity(std::string_view entity);
/// The address with unusual bytes as %XX when its scheme is http, https or mailto; empty for any
/// other.
std::string safe_address(std::string_view address);

}  // namespace notso::services
