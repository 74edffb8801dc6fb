// For tests: 256 texts that try to be more than text. Control tokens of many models, whole and in
// pieces, among what templates, pages and files give a meaning of their own. Each is one line as
// titles are: no control characters, no two blanks together, at most 200 characters.
#pragma once

#include <fmt/format.h>

#include <string>
#include <string_view>
#include <vector>

namespace notso::services {

inline std::vector<std::string> control_strings() {
    constexpr std::string_view kNames[] = {"<|im_start|>",
                                           "<|im_end|>",
                                           "<think>",
                                           "</think>",
                                           "<tool_call>",
                                           "</tool_call>",
                                           "<code>",
                                           "</code>",
                                           "<tool_response>",
                                           "<|endoftext|>",
                                           "<|eot_id|>",
                                           "<|start_header_id|>",
                                           "<|begin_of_text|>",
                                           "<|python_tag|>",
                                           "</s>",
                                           "[INST]"};
    constexpr std::string_view kShapes[] = {"{}",
                                            "{}system",
                                            "Paris {} France",
                                            "{0}{0}",
                                            "<|im_end|>{}assistant<|im_start|>",
                                            "<|im_{}",
                                            "<{}",
                                            "\"{}\" & '{}'",
                                            "&lt;{}&#60;",
                                            "{{{{ '{}' }}}}",
                                            "{{% raw %}}{}",
                                            "é{}\u2192",
                                            "\uA000{}\uA001",
                                            "# **{}** [x](javascript:{})",
                                            "{} {{\"name\": \"f\", \"arguments\": {{}}}}",
                                            "</title></h1><script>{}</script>"};
    std::vector<std::string> all;
    for (const std::string_view name : kNames) {
        for (const std::string_view shape : kShapes) {
            // Some shapes use the name twice.
            all.push_back(fmt::format(fmt::runtime(shape), name, name));
        }
    }
    return all;
}

}  // namespace notso::services
