#include <fmt/format.h>

#include <algorithm>
#include <string_view>

#include "base/bytes.h"
#include "gateway/evidence/evidence_readme_internal.h"

namespace signet::gateway {
namespace {

/// "sha-256" -> "sha256", as openssl calls it.
std::string openssl_name(std::string_view hash) {
  std::string name(hash);
  name.erase(std::remove(name.begin(), name.end(), '-'), name.end());
  return name;
}

constexpr std::string_view kHelper =
    "Every line below that begins with four spaces is a command for a shell (sh) in this folder. The first "
    "one defines how the\n"
    "others compare; each of the others ends with an error when something is not as it was recorded.\n"
    "\n"
    "    same() { if test \"$1\" = \"$2\"; then echo \"as recorded: $2\"; else echo \"CHANGED: $1, not $2\"; "
    "return 1; fi; }\n";

class Readme {
 public:
  explicit Readme(const ArchiveFacts& facts) : facts_(facts), record_(facts.record) {}

  std::string text() {
    introduction();
    certificates();
    message();
    receipt();
    chain();
    files();
    return std::move(text_);
  }

 private:
  void say(std::string_view text) { text_.append(text).append("\n"); }
  void heading(std::string_view title) {
    text_ += fmt::format("\n{}\n{}\n\n", title, std::string(title.size(), '-'));
  }
  void command(std::string_view text) { text_ += fmt::format("\n    {}\n", text); }

  [[nodiscard]] bool inbound() const { return record_.direction == Direction::Inbound; }

  void introduction() {
    say("Evidence of an AS2 message (RFC 4130)");
    say("=====================================\n");
    say(fmt::format("Message-ID   {}", printable(record_.message_id, 998)));
    say(fmt::format("from, to     {}, {}", printable(record_.as2_from), printable(record_.as2_to)));
    say(fmt::format("{}     {}", inbound() ? "received" : "made    ", to_rfc3339(record_.created)));
    say(fmt::format("outcome      {}{}", to_string(record_.state),
                    record_.settled ? " " + to_rfc3339(*record_.settled) : ""));
    if (!record_.reason.empty()) say(fmt::format("reason       {}", printable(record_.reason, 998)));
    if (!record_.disposition.empty()) say(fmt::format("receipt says {}", printable(record_.disposition)));
    say(fmt::format("exported     {}\n", to_rfc3339(facts_.made)));
    say("This archive is verified with the openssl command (1.1.1 or newer) and a shell, and nothing else. "
        "Who "
        "made it need not be\n"
        "trusted for what is signed: only the certificates have to be the right ones, which is why they come "
        "first. manifest.json has\n"
        "the same facts for programs.\n");
    text_ += kHelper;
  }

  void certificates() {
    if (facts_.certificates.empty()) return;
    heading("1. Whose certificates these are");
    say("Everything signed here proves who signed it exactly as far as these certificates are known to be "
        "theirs. Compare the SHA-256\n"
        "fingerprints with those that the companies exchanged, or ask them. They may have expired since: "
        "what counts is that they were\n"
        "valid, and not revoked, when they were used.");
    for (const ArchivedCertificate& each : facts_.certificates) {
      text_ += fmt::format("\n{} {}: {}\n", each.file, each.role, printable(each.subject));
      command(
          fmt::format("same \"$(openssl x509 -in {} -outform DER | openssl dgst -sha256 -r)\" \"{} *stdin\"",
                      each.file, each.thumbprint));
      command(fmt::format("openssl x509 -in {} -noout -subject -issuer -serial -dates -fingerprint -sha256",
                          each.file));
    }
  }

  void message() {
    heading("2. The message");
    if (!facts_.has("content.mime")) {
      say("What the message's digest (MIC) is over was not kept, by the agreement's settings or because its "
          "time is over.");
      if (facts_.has("wire.http"))
        say("wire.http is the message as it travelled. Where it is encrypted, only its receiver's key opens "
            "it.");
      return;
    }
    say("content.mime holds the octets that the message's digest, the MIC (RFC 4130 section 7.3.1), is over: "
        "the MIME entity under the\n"
        "message's signature and encryption, so that no key is needed here. wire.http, where it is there, is "
        "the message as it travelled;\n"
        "where that is encrypted, only its receiver's key opens it.\n");
    say("The MIC:");
    command(fmt::format("same \"$(openssl dgst -{} -binary content.mime | openssl base64 -A)\" \"{}\"",
                        openssl_name(record_.mic_algorithm), record_.mic));
    payload();
    if (facts_.has("content.p7s") && facts_.has("certificates/signer.pem")) {
      say("\nThe sender's signature over the same octets:");
      command(cms_verify("content", "signer"));
    } else if (inbound()) {
      say("\nThe message was not signed: nothing here proves who sent it.");
    }
  }

  void payload() {
    if (!facts_.has("payload")) return;
    if (facts_.payload_ends_content) {
      say("\nThe document itself, payload, is the end of content.mime, as it is:");
      command(
          fmt::format("same \"$(tail -c {} content.mime | openssl dgst -sha256 -r | cut -c 1-64)\" "
                      "\"$(openssl dgst -sha256 -r payload | "
                      "cut -c 1-64)\"",
                      record_.payload_size));
      return;
    }
    say("\nThe document itself is the file payload: content.mime with its transfer encoding, and its "
        "compression if it has one (RFC 5402),\n"
        "undone. Compression is zlib's, which many builds of openssl, Debian's among them, leave out; where "
        "yours has it, a compressed\n"
        "content.mime is opened by: openssl cms -uncompress -in content.mime");
  }

  void receipt() {
    heading("3. The receipt (MDN)");
    if (!facts_.has("receipt.http")) {
      say("None was made, or none was kept.");
      return;
    }
    say(inbound() ? "receipt.http is the receipt that the receiver gave. It says what became of the message, "
                    "and repeats its MIC."
                  : "receipt.http is what the receiver answered: it says what became of the message, and "
                    "repeats its MIC. Signed, it is the\n"
                    "proof that he received exactly these octets.");
    posting();
    if (!facts_.receipt_is_verified) {
      say("It is not signed by a certificate that was accepted, and so proves nothing by itself.");
      return;
    }
    say("receipt-content.mime is the signed part of it, receipt-content.p7s the signature:");
    command(cms_verify("receipt-content", "receipt-signer"));
    if (facts_.receipt_says_message_id) {
      say("\nIt is for this very message:");
      command(fmt::format("grep -c -F -e {} receipt-content.mime", quoted(record_.message_id)));
    }
    if (facts_.receipt_says_mic) {
      say("\nand its Received-Content-MIC is the MIC above:");
      command(fmt::format("grep -c -F -e {} receipt-content.mime", quoted(record_.mic)));
    } else {
      say("\nThe MIC above does not stand in it as readable text: look at the part whose Content-Type is "
          "message/disposition-notification.");
    }
  }

  void posting() {
    if (!facts_.receipt_post) return;
    const ReceiptPost& post = *facts_.receipt_post;
    if (post.posted)
      return say(fmt::format("It was posted to the sender, who took it at {}.", to_rfc3339(*post.posted)));
    if (!post.given_up) return say("It was still to be posted to the sender when this was exported.");
    say(fmt::format("The sender has not got it: posting it was given up at {}: {}",
                    to_rfc3339(*post.given_up), printable(post.reason, 998)));
  }

  void chain() {
    heading("4. When it was written down");
    say("Each record in chain/ is a line of the exporter's chain of evidence, without its line end. A record "
        "says the digests of the copies,\n"
        "and, as \"previous\", the SHA-256 of the record before it; so none can have been changed later "
        "without changing every record behind\n"
        "it. That proves something to you only if you, or somebody you trust, have had the hash of this or a "
        "later record since then: the\n"
        "exporter shows that a hash belongs to its chain with `signet audit verify --head HASH`.");
    if (facts_.records.empty()) return say("\nThere are no records: the message is older than the chain.");
    for (const EvidenceRecord& each : facts_.records)
      command(fmt::format("same \"$(openssl dgst -sha256 -r chain/{0}.json)\" \"{1} *chain/{0}.json\"",
                          each.number, each.hash));
    if (facts_.named.empty()) return;
    say("\nThe copies are those that the records name:");
    for (const NamedCopy& each : facts_.named)
      command(
          fmt::format("grep -c -F -e \"\\\"{}\\\":\\\"$(openssl dgst -sha256 -r {} | cut -c 1-64)\\\"\" "
                      "chain/{}.json",
                      each.field, each.file, each.record));
  }

  void files() {
    heading("5. Every file, as it was exported");
    for (const ArchivedFile& each : facts_.files) {
      if (each.name.starts_with("chain/") || each.name.starts_with("certificates/")) continue;
      say(fmt::format("{}: {}", each.name, each.what));
      command(fmt::format("same \"$(openssl dgst -sha256 -r {0})\" \"{1} *{0}\"", each.name, each.sha256));
      say("");
    }
  }

  static std::string cms_verify(std::string_view what, std::string_view signer) {
    return fmt::format(
        "openssl cms -verify -binary -inform DER -in {0}.p7s -content {0}.mime -certfile "
        "certificates/{1}.pem -nointern "
        "-noverify -out /dev/null",
        what, signer);
  }

  /// For the shell, whatever a partner chose as his Message-ID.
  static std::string quoted(std::string_view text) {
    std::string quoted = "'";
    for (const char c : text) quoted += c == '\'' ? std::string("'\\''") : std::string(1, c);
    return quoted + "'";
  }

  const ArchiveFacts& facts_;
  const MessageRecord& record_;
  std::string text_;
};

}  // namespace

bool ArchiveFacts::has(std::string_view file) const {
  return std::any_of(files.begin(), files.end(), [&](const ArchivedFile& each) { return each.name == file; });
}

std::string readme_for(const ArchiveFacts& facts) { return Readme(facts).text(); }

}  // namespace signet::gateway
