#include "as2/mime/content_type.h"

#include <gtest/gtest.h>

#include "base/bytes.h"

namespace signet::as2::mime {
namespace {

ContentType parsed(std::string_view text) {
  auto type = parse_content_type(text);
  EXPECT_TRUE(type) << text << ": " << (type ? "" : type.error().detail);
  return type ? *type : ContentType{};
}

bool is_refused(std::string_view text) { return !parse_content_type(text); }

TEST(ContentType, IsReadInAnyCaseOrderAndQuoting) {
  for (
      const std::string_view text : {
          R"(multipart/signed; protocol="application/pkcs7-signature"; micalg=sha-256;  boundary="----=_Part_22.1")",
          R"(Multipart/Signed;BOUNDARY=----=_Part_22.1;Micalg="sha-256";Protocol="application/pkcs7-signature")",
          "multipart/signed; protocol=\"application/pkcs7-signature\"; micalg=sha-256; "
          "\tboundary=\"----=_Part_22.1\"",
          R"(multipart / signed (a comment (nested)) ; micalg = sha-256 (c) ; protocol=application/pkcs7-signature; boundary= "----=_Part_22.1" ;)",
          "multipart/signed;\r\n\tprotocol=\"application/pkcs7-signature\";;\n micalg=sha-256; "
          "boundary=\"----=_Part_22.1\"",
      }) {
    const ContentType type = parsed(text);
    EXPECT_TRUE(type.is("multipart/signed")) << text;
    EXPECT_EQ(type.parameter("protocol"), "application/pkcs7-signature") << text;
    EXPECT_EQ(type.parameter("Micalg"), "sha-256") << text;
    EXPECT_EQ(type.parameter("boundary"), "----=_Part_22.1") << text;
  }
}

TEST(ContentType, OfPeersOnRecordIsRead) {
  EXPECT_EQ(parsed(R"(application/pkcs7-mime; smime-type="enveloped-data"; name=smime.p7m)")
                .parameter("smime-type"),
            "enveloped-data");
  EXPECT_EQ(parsed("multipart/report; Report-Type=disposition-notification; boundary=\"b\"")
                .parameter("report-type"),
            "disposition-notification");
  EXPECT_EQ(parsed("text/plain").parameter("charset"), std::nullopt);
}

TEST(ContentType, WithoutTypeOrSubtypeIsRefused) {
  for (const std::string_view text :
       {"", "text", "text/", "/plain", ";", "text;plain", "(unclosed", "text plain"})
    EXPECT_TRUE(is_refused(text)) << text;
}

TEST(ContentType, WithBrokenParametersIsRefused) {
  for (const std::string_view text : {R"(text/plain; a="unclosed)", "text/plain; =x", R"(text/plain; a="b"c)",
                                      "text/plain charset=x", "text/plain; two words=x"})
    EXPECT_TRUE(is_refused(text)) << text;
}

// "sig-boundary-confusion": two readers must not see two messages.
TEST(ContentType, WithTwoBoundariesIsRefused) {
  EXPECT_TRUE(is_refused("multipart/signed; boundary=a; boundary=b"));
  EXPECT_TRUE(is_refused("multipart/signed; boundary=a; Boundary=a"));
  EXPECT_TRUE(is_refused("multipart/signed; boundary=a; boundary*0=b"));
  EXPECT_EQ(parsed("multipart/signed; micalg=sha1; micalg=md5; boundary=a").parameter("micalg"), "sha1");
}

TEST(ContentType, KeepsToItsLimits) {
  std::string many = "text/plain";
  for (int i = 0; i < 64; ++i) many += "; a" + std::to_string(i) + "=b";
  EXPECT_EQ(parsed(many).parameters.list().size(), 64U);
  EXPECT_TRUE(is_refused(many + "; c=d"));
  EXPECT_TRUE(is_refused("text/plain; a=" + std::string(70000, 'x')));
}

TEST(ContentType, OfAnEntityMayBeRepeatedButNotContradicted) {
  Headers headers;
  EXPECT_FALSE(*content_type(headers));
  headers.add("content-type", "text/plain");
  headers.add("Content-Type", "text/plain");
  EXPECT_TRUE((*content_type(headers))->is("text/plain"));
  headers.add("Content-Type", "multipart/signed; boundary=x");
  EXPECT_FALSE(content_type(headers));
}

TEST(ContentType, ComesBackFromWhatItWrote) {
  for (const std::string_view value :
       {"plain", "two words", "q\"uote", "back\\slash", "a;b=c", "(x)", "ä ö", "", "a'b%*"}) {
    ContentType type{"multipart", "signed", {}};
    type.parameters.set("Boundary", "----=_x");
    type.parameters.set("name", value);
    const ContentType again = parsed(type.to_string());
    EXPECT_EQ(again.parameters, type.parameters) << type.to_string();
    EXPECT_EQ(again.to_string(), type.to_string());
  }
  ContentType type{"text", "plain", {}};
  type.parameters.set("charset", "utf-8");
  EXPECT_EQ(type.to_string(), "text/plain; charset=utf-8");
}

TEST(ContentType, KeepsItsParametersInTheirOrderWhateverTheirForm) {
  const auto type = parse_content_type("a/b; x*1=d; first=1; x*0*=utf-8''c; bad*name=2; last=\xE4");
  ASSERT_TRUE(type) << type.error().detail;
  EXPECT_EQ(type->parameters.list(), (std::vector<Parameter>{{"x", "cd"}, {"first", "1"}, {"last", "\xE4"}}));
  EXPECT_EQ(type->to_string(), "a/b; x=cd; first=1; last*=UTF-8''%C3%A4")
      << "octets of no known character set";
}

TEST(ContentType, SurvivesEveryPrefixOfASample) {
  const std::string sample =
      "multipart/signed (c(d\\)) ); protocol=\"application/\\\"pkcs7\\\\\"; name*0*=utf-8'de'%e2%82; "
      "name*1=x; boundary==_b1";
  for (std::size_t i = 0; i <= sample.size(); ++i) {
    (void)parse_content_type(sample.substr(0, i));
    (void)parse_content_disposition(sample.substr(i));
    (void)decode_words(sample.substr(i));
  }
}

std::string name_of(std::string_view disposition, std::string_view type = "text/plain") {
  Headers headers;
  headers.add("Content-Type", type);
  if (!disposition.empty()) headers.add("Content-Disposition", disposition);
  return file_name(headers).value_or("-");
}

// Checklist 111
TEST(FileName, IsReadInEveryWayThatItIsWritten) {
  EXPECT_EQ(name_of(R"(Attachment; filename="po-1001.edi")"), "po-1001.edi");
  EXPECT_EQ(name_of("attachment; filename=po-1001.edi"), "po-1001.edi");
  EXPECT_EQ(name_of("attachment; filename=my orders (1).edi"), "my orders (1).edi");
  EXPECT_EQ(name_of("attachment; FileName = \"a;b.edi\" ; size=3"), "a;b.edi");
  EXPECT_EQ(name_of("attachment; filename*=UTF-8''%e2%82%ac%20rates.edi"), "€ rates.edi");
  EXPECT_EQ(name_of("attachment; filename*=iso-8859-1'en'%A3.edi; filename=plain.edi"), "£.edi");
  EXPECT_EQ(name_of("attachment; filename*0=\"long\"; filename*1=\"-name\"; filename*2=.edi"),
            "long-name.edi");
  EXPECT_EQ(name_of("attachment; filename*1*=%AC.edi; filename*0*=utf-8''a%E2%82"), "a€.edi");
  EXPECT_EQ(name_of(R"(attachment; filename="=?UTF-8?B?w6TDtsO8LmVkaQ==?=")"), "äöü.edi");
  EXPECT_EQ(name_of(R"(attachment; filename="=?iso-8859-1?Q?=E4_b?= =?ISO-8859-1?q?=2Eedi?=")"), "ä b.edi");
  EXPECT_EQ(name_of("attachment; filename==?utf-8?Q?=C3?= =?utf-8?Q?=A4.edi?="), "ä.edi");
  EXPECT_EQ(name_of("attachment; filename=\"\xe4.edi\""), "ä.edi");
  EXPECT_EQ(name_of("attachment; filename=\"C:\\orders\\po.edi\""), "C:\\orders\\po.edi");
  EXPECT_EQ(name_of("", "application/EDI-X12; name=\"from-type.edi\""), "from-type.edi");
  EXPECT_EQ(name_of("attachment", "application/EDI-X12; name=from-type.edi"), "from-type.edi");
}

TEST(FileName, IsAbsentWhenThereIsNone) {
  EXPECT_EQ(name_of("attachment"), "-");
  EXPECT_EQ(name_of("attachment; filename=\"\""), "-");
  EXPECT_EQ(name_of("attachment; filename=\"unclosed"), "-");
  EXPECT_FALSE(file_name(Headers()));
}

TEST(FileName, LeavesWordsThatCannotBeReadAsTheyAre) {
  for (const std::string_view text :
       {"=?", "=?utf-8?", "=?utf-8?Q?", "=?utf-8?X?a?=", "=?klingon?Q?a?=", "=?utf-8?B?*?=", "=?a?b"})
    EXPECT_EQ(decode_words(text), text);
}

TEST(FileName, HoldsNoControlCharacters) {
  EXPECT_EQ(name_of("attachment; filename*=utf-8''a%00b%0d%0ac%1b%7f.edi"), "abc.edi");
  EXPECT_EQ(name_of("attachment; filename=\"=?utf-8?Q?a=0D=0AX:_y?=\""), "aX: y");
}

TEST(SafeFileName, KeepsOrdinaryNames) {
  for (const std::string_view name :
       {"po-1001.edi", "Orders 2026 (1).xml", "äöü€.edi", "注文.edi", "a.tar.gz", "UPPER_lower"})
    EXPECT_EQ(safe_file_name(name), name);
}

// Threat T26 and checklist 112
TEST(SafeFileName, NeverLeavesItsFolder) {
  EXPECT_EQ(safe_file_name("../../etc/passwd"), "passwd");
  EXPECT_EQ(safe_file_name("..\\..\\windows\\win.ini"), "win.ini");
  EXPECT_EQ(safe_file_name("/"), "unnamed");
  EXPECT_EQ(safe_file_name(".."), "unnamed");
  EXPECT_EQ(safe_file_name("../.."), "unnamed");
  EXPECT_EQ(safe_file_name("a/"), "unnamed");
  EXPECT_EQ(safe_file_name(""), "unnamed");
  EXPECT_EQ(safe_file_name("C:po.edi"), "C_po.edi");
  EXPECT_EQ(safe_file_name("..\xe2\x88\x95x"), "_x");
  EXPECT_EQ(safe_file_name("\xc0\xaf\xc0\xae"), "____");
}

TEST(SafeFileName, IsNeitherHiddenNorAnOptionNorADevice) {
  EXPECT_EQ(safe_file_name(".bashrc"), "bashrc");
  EXPECT_EQ(safe_file_name("-rf"), "rf");
  EXPECT_EQ(safe_file_name("name. . ."), "name");
  EXPECT_EQ(safe_file_name("CON"), "_CON");
  EXPECT_EQ(safe_file_name("nul.txt"), "_nul.txt");
  EXPECT_EQ(safe_file_name("Com1 .edi"), "_Com1 .edi");
  EXPECT_EQ(safe_file_name("LPT\xc2\xb9.edi"), "_LPT\xc2\xb9.edi");
  EXPECT_EQ(safe_file_name("console.edi"), "console.edi");
}

TEST(SafeFileName, ShowsWhatItIs) {
  EXPECT_EQ(safe_file_name("invoice\xe2\x80\xae"
                           "fdp.exe"),
            "invoicefdp.exe");
  EXPECT_EQ(safe_file_name("a\xe2\x80\x8b"
                           "b\xef\xbb\xbf.edi"),
            "ab.edi");
  EXPECT_EQ(safe_file_name("a\r\nb\t\x1b.edi"), "ab.edi");
  EXPECT_EQ(safe_file_name("$(id)`x`|y;z&.edi"), "_(id)_x__y_z_.edi");
}

TEST(SafeFileName, IsShortAndKeepsItsExtension) {
  EXPECT_EQ(safe_file_name(std::string(300, 'a') + ".edi"), std::string(116, 'a') + ".edi");
  EXPECT_EQ(safe_file_name(std::string(300, 'a')), std::string(120, 'a'));
  std::string umlauts;
  for (int i = 0; i < 100; ++i) umlauts += "ä";
  EXPECT_EQ(safe_file_name("x" + umlauts), "x" + umlauts.substr(0, 118));
}

TEST(SafeFileName, IsSafeForAnything) {
  std::uint32_t state = 1;
  for (int round = 0; round < 3000; ++round) {
    std::string name;
    state = state * 1664525U + 1013904223U;
    const std::size_t length = (state >> 16U) % 200;
    for (std::size_t i = 0; i < length; ++i) {
      state = state * 1664525U + 1013904223U;
      constexpr std::string_view favourites = "./\\ -~:con\xe2\x80\xae\xc3\xa4";
      const std::uint32_t pick = state >> 16U;
      name.push_back(pick % 2 == 0 ? favourites[(pick >> 1U) % favourites.size()]
                                   : static_cast<char>(pick >> 4U));
    }
    const std::string safe = safe_file_name(name);
    EXPECT_EQ(safe_file_name(safe), safe) << printable(name);
    EXPECT_LE(safe.size(), 120U);
    EXPECT_FALSE(safe.empty());
    EXPECT_EQ(safe.find_first_of(std::string("/\\:*?\"<>|\0\r\n", 13)), std::string::npos);
    EXPECT_NE(safe.front(), '.');
  }
}

}  // namespace
}  // namespace signet::as2::mime
