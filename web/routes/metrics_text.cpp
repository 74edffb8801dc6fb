#include "web/routes/metrics_text.hpp"

#include <fmt/format.h>

namespace notso::web {

void MetricsText::begin(std::string_view name, std::string_view type, std::string_view help) {
    name_ = name;
    text_ += fmt::format("# HELP {0} {1}\n# TYPE {0} {2}\n", name, help, type);
}

void MetricsText::value(double value, std::string_view labels) { line("", labels, value); }

void MetricsText::histogram(const Histogram& histogram) {
    std::uint64_t below = 0;
    for (std::size_t i = 0; i < histogram.bounds().size(); ++i) {
        below += histogram.counts()[i];
        const std::string bound = fmt::format("{}", histogram.bounds()[i]);
        line("_bucket", label("le", bound), static_cast<double>(below));
    }
    below += histogram.counts().back();
    line("_bucket", label("le", "+Inf"), static_cast<double>(below));
    line("_sum", "", histogram.sum());
    line("_count", "", static_cast<double>(below));
}

std::string MetricsText::label(std::string_view name, std::string_view value) {
    std::string out = fmt::format("{}=\"", name);
    for (const char c : value) {
        if (c == '\\' || c == '"') out += '\\';
        out += c == '\n' ? std::string("\\n") : std::string(1, c);
    }
    return out + '"';
}

void MetricsText::line(std::string_view suffix, std::string_view labels, double value) {
    const std::string braces = labels.empty() ? "" : fmt::format("{{{}}}", labels);
    text_ += fmt::format("{}{}{} {}\n", name_, suffix, braces, value);
}

}  // namespace notso::web
