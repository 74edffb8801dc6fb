// See render_request.hpp.
#include "services/prompt/render_request.hpp"

#include "services/template/template.hpp"

namespace notso::services {

std::string_view chatml_template() noexcept {
    return "{% for message in messages %}"
           "{{ '<|im_start|>' + message['role'] + '\n' + message['content'] + '<|im_end|>' + '\n' "
           "}}"
           "{% endfor %}"
           "{% if add_generation_prompt %}{{ '<|im_start|>assistant\n' }}{% endif %}";
}

Result<std::string> render_request(std::string_view source,
                                   const boost::json::object& request,
                                   const std::optional<std::string>& now) {
    NOTSO_TRY(const auto parsed,
              jinja::Template::parse(source.empty() ? chatml_template() : source));
    jinja::RenderInput input{.variables = {{"bos_token", "<s>"},
                                           {"eos_token", "</s>"},
                                           {"add_generation_prompt", true},
                                           {"tools", nullptr}},
                             .now = now};
    for (const auto& [name, value] : request) input.variables[name] = value;
    return parsed->render(input);
}

}  // namespace notso::services
