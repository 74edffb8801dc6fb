// HttpTransfer: one exchange with one host, on the calling thread. Redirects are http_client.cpp's
// part.
#pragma once

#include <curl/curl.h>

#include <memory>
#include <optional>
#include <string>
#include <string_view>

#include "base/clock.hpp"
#include "services/net/http_client.hpp"
#include "services/net/url.hpp"

namespace notso::services {

/// Calls one of libcurl's cleanup functions; their handles are all `void`.
template <auto kCleanup>
struct CurlCleanup {
    void operator()(auto* handle) const { kCleanup(handle); }
};

class HttpTransfer {
  public:
    /// Everything referred to must outlive the transfer.
    /// @param began  When the whole request began: its time-outs count from here.
    HttpTransfer(const HttpRequest& request,
                 const HttpHandlers& handlers,
                 const HttpUrl& url,
                 SteadyClock::time_point began);
    HttpTransfer(const HttpTransfer&) = delete;
    HttpTransfer& operator=(const HttpTransfer&) = delete;
    ~HttpTransfer();

    /// @param send_key         False once a redirect has led to another host.
    /// @param follow_redirects True: an answer that redirects is not given to the handlers, and its
    /// body not read.
    /// @errors as fetch().
    Result<HttpReply> run(bool send_key, bool follow_redirects);

    /// After run(): the answer was a redirect that the caller is to follow.
    bool redirected() const noexcept { return redirected_; }

  private:
    static std::size_t on_header_bytes(char* bytes, std::size_t one, std::size_t size, void* self);
    static std::size_t on_body_bytes(char* bytes, std::size_t one, std::size_t size, void* self);
    static curl_socket_t on_socket(void* self, curlsocktype purpose, curl_sockaddr* address);

    Result<> prepare(bool send_key);
    bool set_options();
    bool pin_addresses();
    Result<> add_header(std::string_view name, std::string_view value);
    Result<CURLcode> drive();
    std::optional<Error> out_of_time() const;
    SteadyClock::time_point deadline() const;
    bool take_header(std::string_view line);
    bool end_head();
    bool take_body(std::string_view bytes);
    bool give_up(ErrorCode code, std::string detail);
    Error failure_of(CURLcode code) const;

    const HttpRequest& request_;
    const HttpHandlers& handlers_;
    const HttpUrl& url_;
    const SteadyClock::time_point began_;
    const std::string address_;  // for libcurl, which keeps a pointer to some options
    bool follow_redirects_ = false;

    HttpReply reply_;
    std::size_t head_bytes_ = 0;
    std::uint64_t body_bytes_ = 0;
    bool in_head_ = false;
    bool head_done_ = false;
    bool redirected_ = false;
    std::optional<Error> error_;  // why a callback ended the transfer
    std::optional<SteadyClock::time_point> last_byte_;

    std::unique_ptr<curl_slist, CurlCleanup<curl_slist_free_all>> headers_;
    std::unique_ptr<curl_slist, CurlCleanup<curl_slist_free_all>> pinned_;
    std::unique_ptr<CURLM, CurlCleanup<curl_multi_cleanup>> multi_;
    std::unique_ptr<CURL, CurlCleanup<curl_easy_cleanup>> easy_;
};

}  // namespace notso::services
