#include "services/net/ip_address.hpp"

#include <gtest/gtest.h>

namespace notso::services {
namespace {

const char* const kPublic[] = {
    "1.1.1.1",     "8.8.8.8",         "9.255.255.255",   "11.0.0.0",        "100.63.255.255",
    "100.128.0.0", "126.255.255.255", "128.0.0.1",       "169.253.255.255", "172.15.255.255",
    "172.32.0.0",  "192.0.1.0",       "192.167.255.255", "192.169.0.0",     "198.17.255.255",
    "198.20.0.0",  "223.255.255.255", "2606:4700::1111", "2a00:1450::1",    "2001:4860::8888"};
const char* const kNotPublic[] = {"0.0.0.0",
                                  "0.1.2.3",
                                  "10.0.0.1",
                                  "10.255.255.255",
                                  "100.64.0.0",
                                  "100.127.255.255",
                                  "127.0.0.1",
                                  "127.255.255.255",
                                  "169.254.0.1",
                                  "169.254.169.254",
                                  "172.16.0.1",
                                  "172.31.255.255",
                                  "192.0.0.1",
                                  "192.0.2.7",
                                  "192.88.99.1",
                                  "192.168.0.1",
                                  "192.168.255.255",
                                  "198.18.0.1",
                                  "198.19.255.255",
                                  "198.51.100.1",
                                  "203.0.113.9",
                                  "224.0.0.1",
                                  "239.255.255.255",
                                  "240.0.0.1",
                                  "255.255.255.255",
                                  "::",
                                  "::1",
                                  "::ffff:127.0.0.1",
                                  "::ffff:8.8.8.8",
                                  "::127.0.0.1",
                                  "64:ff9b::7f00:1",
                                  "64:ff9b::808:808",
                                  "64:ff9b:1::1",
                                  "100::1",
                                  "2001::1",
                                  "2001:20::1",
                                  "2001:db8::1",
                                  "2002:7f00:1::",
                                  "2002:808:808::",
                                  "3fff::1",
                                  "fc00::1",
                                  "fd12:3456::1",
                                  "fe80::1",
                                  "febf::1",
                                  "fec0::1",
                                  "ff02::1",
                                  "4000::1",
                                  "5f00::1"};

TEST(IpAddressTest, KnowsWhatIsPublic) {
    for (const char* text : kPublic) {
        const auto address = IpAddress::parse(text);
        ASSERT_TRUE(address.has_value()) << text;
        EXPECT_TRUE(address->is_public()) << text;
        EXPECT_EQ(address->text(), text);
    }
    for (const char* text : kNotPublic) {
        const auto address = IpAddress::parse(text);
        ASSERT_TRUE(address.has_value()) << text;
        EXPECT_FALSE(address->is_public()) << text;
    }
}

TEST(IpAddressTest, ReadsOneSpellingOnly) {
    EXPECT_TRUE(IpAddress::parse("[::1]").has_value());
    for (const char* text : {"",
                             "localhost",
                             "127.1",
                             "0x7f.0.0.1",
                             "2130706433",
                             "0177.0.0.1",
                             "1.2.3.4 ",
                             "1.2.3.4.",
                             "fe80::1%eth0",
                             "[1.2.3.4",
                             ":::",
                             "1.2.3.256"})
        EXPECT_FALSE(IpAddress::parse(text).has_value()) << text;
    EXPECT_FALSE(IpAddress::parse(std::string_view("1.2.3.4\0x", 9)).has_value());
}

}  // namespace
}  // namespace notso::services
