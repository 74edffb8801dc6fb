#include "services/tools/web_fetch.hpp"

#include <algorithm>

#include "base/utf8.hpp"
#include "services/net/http_client.hpp"
#include "services/net/url.hpp"
#include "services/template/unicode/unicode.hpp"
#include "services/tools/built_in.hpp"
#include "services/tools/web/html_text.hpp"

namespace notso::services {
namespace {

namespace json = boost::json;

constexpr std::string_view kWebSchema = R"({
  "properties": {
    "url": {"type": "string", "maxLength": 2000, "description": "http or https address of a public page"},
    "offset": {"type": "integer", "minimum": 0, "description": "Where to go on in a long page, as the last answer said"}
  },
  "required": ["url"]
})";

constexpr std::size_t kPartBytes = 12 * 1024;  // of a page at a time
constexpr std::size_t kMostAddresses = 8;

std::unexpected<Error> refused(std::string_view why) {
    return fail(ErrorCode::kPermissionDenied, "this address is not fetched: {}", why);
}

/// Names that mean this machine or its network, whatever they resolve to.
bool is_local_name(std::string_view host) {
    if (host.find('.') == std::string_view::npos) return true;  // "localhost", "router"
    return std::ranges::any_of(
        std::initializer_list<std::string_view>{
            ".localhost", ".local", ".internal", ".intranet", ".lan", ".home.arpa", ".localdomain"},
        [&](std::string_view end) { return host.ends_with(end); });
}

bool is_redirect(const HttpHead& head) {
    return head.status >= 300 && head.status < 400 && head.find("location").has_value();
}

/// The media type without its parameters, in lower case.
std::string media_type(const HttpHead& head) {
    const std::string_view field = head.find("content-type").value_or("");
    return unicode::lower(unicode::strip(field.substr(0, field.find(';')), unicode::Side::kBoth));
}

bool is_html(std::string_view type) {
    return type == "text/html" || type == "application/xhtml+xml";
}

bool is_text(std::string_view type) {
    return type.empty() || type.starts_with("text/") || is_html(type) ||
           type == "application/json" || type == "application/xml" || type.ends_with("+json") ||
           type.ends_with("+xml");
}

/// Well-formed UTF-8. A page that says Latin-1 is converted; others are repaired.
std::string body_text(const HttpReply& reply) {
    const std::string field = unicode::lower(reply.head.find("content-type").value_or(""));
    const bool latin = field.find("charset=iso-8859-1") != std::string::npos ||
                       field.find("charset=windows-1252") != std::string::npos;
    if (!latin || is_valid_utf8(reply.body)) return repair_utf8(reply.body);
    std::string out;
    for (const char c : reply.body) append_utf8(out, static_cast<unsigned char>(c));
    return out;
}

/// One fetch, redirects included.
class Fetch {
  public:
    Fetch(const WebFetchPolicy& policy, const ToolContext& context)
        : policy_(policy), context_(context) {}

    Result<HttpReply> run(const std::string& address) const {
        NOTSO_TRY(HttpUrl url, parse_http_url(address));
        for (int redirects = 0;; ++redirects) {
            NOTSO_TRY(HttpReply reply, fetch_one(url));
            if (!is_redirect(reply.head)) return reply;
            if (redirects == policy_.max_redirects) {
                return fail(ErrorCode::kUnavailable,
                            "the address redirects more than {} times",
                            policy_.max_redirects);
            }
            NOTSO_TRY(url, resolve_http_url(url, *reply.head.find("location")));
        }
    }

  private:
    Result<HttpReply> fetch_one(HttpUrl url) const {
        NOTSO_TRY(HttpRequest request, checked_request(url));
        request.headers = {
            {"Accept", "text/html, text/plain, application/json;q=0.9, text/*;q=0.8"},
            {"Accept-Encoding", "identity"}};
        request.max_body_bytes = policy_.max_body_bytes;
        request.stop = context_.stop;
        const auto left = std::chrono::duration_cast<std::chrono::milliseconds>(context_.deadline -
                                                                                SteadyClock::now());
        constexpr std::chrono::milliseconds kLeast{1};
        constexpr std::chrono::milliseconds kMost{60'000};
        request.total_timeout = std::clamp(left, kLeast, kMost);
        bool readable = true;
        HttpHandlers handlers;
        handlers.on_head = [&](const HttpHead& head) {
            readable = is_redirect(head) || is_text(media_type(head));
            return readable && !is_redirect(head) ? HttpFlow::kContinue : HttpFlow::kStop;
        };
        NOTSO_TRY(HttpReply reply, fetch(request, handlers));
        if (!readable) {
            return fail(ErrorCode::kUnsupported,
                        "the address has content of the type {}, not text",
                        truncate_utf8(media_type(reply.head), 60));
        }
        if (const auto encoding = reply.head.find("content-encoding");
            encoding && *encoding != "identity")
            return fail(ErrorCode::kUnsupported, "the server sends compressed content only");
        return reply;
    }

    /// The request, bound to addresses that were checked.
    Result<HttpRequest> checked_request(HttpUrl& url) const {
        while (url.host.ends_with('.')) url.host.pop_back();
        if (std::ranges::find(policy_.ports, url.port) == policy_.ports.end())
            return refused("its port is not one that web pages use");
        std::vector<IpAddress> addresses;
        if (const auto literal = IpAddress::parse(url.host)) {
            addresses.push_back(*literal);
        } else {
            if (url.host.starts_with('[') || is_local_name(url.host))
                return refused("it is a name of a local network");
            NOTSO_TRY(addresses,
                      policy_.resolver->resolve(url.host, context_.stop, context_.deadline));
        }
        // One bad address is enough: a public one beside it may be there to get past this check.
        if (addresses.empty() || !std::ranges::all_of(addresses, policy_.may_reach))
            return refused("it leads to this machine or a private network, not to the public web");
        if (addresses.size() > kMostAddresses) addresses.resize(kMostAddresses);
        HttpRequest request;
        request.url = url.text();
        request.only_to = std::move(addresses);
        return request;
    }

    const WebFetchPolicy& policy_;
    const ToolContext& context_;
};

/// A part of the page from `offset` on, and how to get the next.
std::string part_of(std::string_view text, std::size_t offset) {
    offset = truncate_utf8(text, offset).size();
    std::string_view part = truncate_utf8(text.substr(offset), kPartBytes);
    const std::size_t end = offset + part.size();
    if (part.empty()) return "(no text)";
    if (end == text.size()) return std::string(part);
    return fmt::format(
        "{}\n[the page goes on: {} of {} bytes; next offset {}]", part, end, text.size(), end);
}

Result<std::string> fetch_page(const WebFetchPolicy& policy,
                               const json::object& arguments,
                               const ToolContext& context) {
    NOTSO_TRY(const HttpReply reply, Fetch(policy, context).run(text_argument(arguments, "url")));
    if (!reply.head.is_success())
        return fail(
            ErrorCode::kUnavailable, "the server answered with status {}", reply.head.status);
    std::string text = body_text(reply);
    std::string title;
    if (is_html(media_type(reply.head))) {
        PageText page = html_text(text);
        if (!page.title.empty()) title = fmt::format("{}\n\n", page.title);
        text = std::move(page.text);
    }
    const auto offset = static_cast<std::size_t>(whole_argument(arguments, "offset", 0));
    return (offset == 0 ? title : std::string()) + part_of(text, offset);
}

}  // namespace

ToolPtr make_web_fetch(WebFetchPolicy policy) {
    ToolInfo info;
    info.name = "web_fetch";
    info.title = "Web page";
    info.description =
        "Reads a public web page (http or https) and returns its text. Long pages come in parts.";
    info.policy = ToolPolicy::kAsksFirst;
    info.sends_to = "the web";
    info.timeout = std::chrono::seconds(25);
    return make_built_in(
        std::move(info),
        kWebSchema,
        [policy = std::move(policy)](const json::object& arguments, const ToolContext& context) {
            return fetch_page(policy, arguments, context);
        });
}

ToolPtr make_web_fetch() { return make_web_fetch(WebFetchPolicy{}); }

}  // namespace notso::services
