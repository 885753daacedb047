#include "base/network.h"

#include <gtest/gtest.h>

namespace signet {
namespace {

bool is_public(std::string_view text) {
  const auto address = IpAddress::parse(text);
  EXPECT_TRUE(address) << text;
  return address && address->is_public();
}

TEST(IpAddress, KnowsThePublicInternetFromEverythingElse) {
  for (const char* address :
       {"93.184.216.34", "8.8.8.8", "172.15.255.255", "172.32.0.0", "2606:4700::1111", "2a00:1450::1"})
    EXPECT_TRUE(is_public(address)) << address;
  for (const char* address : {"127.0.0.1",
                              "127.1.2.3",
                              "0.0.0.0",
                              "10.1.2.3",
                              "172.16.0.1",
                              "172.31.255.255",
                              "192.168.0.1",
                              "169.254.169.254",
                              "100.64.0.1",
                              "224.0.0.1",
                              "255.255.255.255",
                              "192.0.2.1",
                              "::1",
                              "::",
                              "fe80::1",
                              "fe80::1%eth0",
                              "fd00:ec2::254",
                              "ff02::1",
                              "2001:db8::1",
                              "2002:7f00:1::",
                              "64:ff9b::7f00:1"})
    EXPECT_FALSE(is_public(address)) << address;
}

TEST(IpAddress, SeesThroughTheMappingOfIpv4IntoIpv6) {
  EXPECT_FALSE(is_public("::ffff:127.0.0.1"));
  EXPECT_FALSE(is_public("[::ffff:a9fe:a9fe]"));
  EXPECT_TRUE(is_public("::ffff:8.8.8.8"));
  EXPECT_EQ(*IpAddress::parse("::ffff:10.0.0.1"), *IpAddress::parse("10.0.0.1"));
}

TEST(IpAddress, RefusesWhatIsNotNumeric) {
  for (const char* text :
       {"", "localhost", "127.1", "0x7f000001", "2130706433", "1.2.3.4.5", "1.2.3", ":::", "1.2.3.4/8"})
    EXPECT_FALSE(IpAddress::parse(text)) << text;
}

TEST(IpNetwork, ContainsTheAddressesThatBeginWithItsBits) {
  const auto network = IpNetwork::parse("10.20.0.0/14");
  ASSERT_TRUE(network);
  EXPECT_TRUE(network->contains(*IpAddress::parse("10.20.0.1")));
  EXPECT_TRUE(network->contains(*IpAddress::parse("10.23.255.255")));
  EXPECT_FALSE(network->contains(*IpAddress::parse("10.24.0.0")));
  EXPECT_FALSE(network->contains(*IpAddress::parse("::1")));
  EXPECT_TRUE(IpNetwork::parse("192.0.2.7")->contains(*IpAddress::parse("192.0.2.7")));
  EXPECT_FALSE(IpNetwork::parse("192.0.2.7")->contains(*IpAddress::parse("192.0.2.6")));
  EXPECT_TRUE(IpNetwork::parse("0.0.0.0/0")->contains(*IpAddress::parse("203.0.113.9")));
}

TEST(NetworkOfSubscriber, IsAnIpv4AddressAndTheFirst64BitsOfAnIpv6Address) {
  EXPECT_EQ(network_of_subscriber("192.0.2.7"), "192.0.2.7");
  EXPECT_EQ(network_of_subscriber("::ffff:192.0.2.7"), "192.0.2.7");
  EXPECT_EQ(network_of_subscriber("2001:db8:0:1:2:3:4:5"), "2001:db8:0:1::");
  EXPECT_EQ(network_of_subscriber("2001:db8:0:1::"), "2001:db8:0:1::");
  EXPECT_EQ(network_of_subscriber(""), "");
}

TEST(IpNetwork, RefusesWhatIsNoNetwork) {
  for (const char* text :
       {"", "10.0.0.0/", "10.0.0.0/33", "10.0.0.1/8", "fd00::/129", "10.0.0.0/8x", "example.com/8"})
    EXPECT_FALSE(IpNetwork::parse(text)) << text;
}

}  // namespace
}  // namespace signet
