#include <algorithm>
#include <future>
#include <utility>

#include "base/digest.h"
#include "gateway/store/hash_chain.h"
#include "gateway/store/sql_internal.h"
#include "gateway/store/store_internal.h"

/// Committing a message with its bodies.

namespace signet::gateway {

/// A body's file is synced before its row is committed. So a crash leaves a file without a row, never a row
/// without a file.
Result<StoredBody> SqliteStore::store_body(std::string name, const Slice& octets) const {
  StoredBody body{std::move(name), Place::None, octets.size(), {}, 0};
  if (octets.empty()) return body;
  if (octets.size() > options_.largest_row) {
    body.place = Place::File;
    SIGNET_TRY(body.begin, bodies_.save(body.name, octets));
    return body;
  }
  body.place = Place::Row;
  SIGNET_TRY(body.octets, octets.to_bytes(static_cast<std::size_t>(options_.largest_row)));
  return body;
}

Result<SqliteStore::StoredProof> SqliteStore::store_proof(const std::string& id, const Proof& proof,
                                                          const Slice& payload) const {
  constexpr std::uint64_t kLargestHead = 16 * 1024;
  StoredProof stored{proof.signature, {}, false, {}};
  SIGNET_TRY(const bool ends_with_payload, ends_with(proof.content, payload));
  if (ends_with_payload && proof.content.size() - payload.size() <= kLargestHead) {
    stored.payload_follows = true;
    SIGNET_TRY(stored.head,
               proof.content.sub(0, proof.content.size() - payload.size()).to_bytes(kLargestHead));
    return stored;
  }
  SIGNET_TRY(stored.rest, store_body(BodyFiles::content_name(id), proof.content));
  return stored;
}

/// Everything of a message that is not its record, with the digests of what its record keeps.
Result<SqliteStore::Bodies> SqliteStore::prepare(const MessageRecord& record, const Slice* payload,
                                                 const WireCopy* wire, const Evidence& evidence) const {
  if (!BodyFiles::is_id(record.id))
    return fail(ErrorKind::Internal,
                "a message's id is 32 lower-case hexadecimal digits, not '" + printable(record.id) + "'");
  Bodies bodies;
  const auto store_payload = [&]() -> Result<> {
    if (payload == nullptr) return {};
    if (record.keeps.payload && !payload->empty()) {
      SIGNET_TRY(const Bytes sha256, digest(Hash::Sha256, *payload));
      bodies.digests.payload = hex_lower(sha256);
    }
    SIGNET_TRY(bodies.payload, store_body(record.id, *payload));
    if (record.keeps.payload && evidence.proof) {
      SIGNET_TRY(bodies.proof, store_proof(record.id, *evidence.proof, *payload));
    }
    return {};
  };
  const auto store_wire = [&]() -> Result<> {
    if (wire == nullptr) return {};
    if (record.keeps.wire) {
      SIGNET_TRY(bodies.digests.wire, travel_digest(*wire));
    }
    SIGNET_TRY(bodies.wire, store_body(BodyFiles::wire_name(record.id), wire->body));
    bodies.wire_headers = encode_headers(wire->headers);
    return {};
  };
  // Of two large ones, each is digested while the disk writes the other.
  const bool side_by_side = payload != nullptr && wire != nullptr &&
                            std::min(payload->size(), wire->body.size()) > options_.largest_row;
  auto other = std::async(side_by_side ? std::launch::async | std::launch::deferred : std::launch::deferred,
                          store_wire);
  auto prepared = store_payload();
  auto wire_prepared = other.get();
  if (prepared) prepared = std::move(wire_prepared);
  if (prepared) return bodies;
  remove_files(bodies.files());
  return fail(prepared.error());
}

void SqliteStore::write_bodies(SqlConnection& connection, std::int64_t message, const Bodies& bodies) {
  if (const auto& payload = bodies.payload) {
    Query(connection, "UPDATE messages SET body_place = ?, body_size = ?, body_begin = ? WHERE sequence = ?")
        .bind(to_string(payload->place), static_cast<std::int64_t>(payload->size),
              static_cast<std::int64_t>(payload->begin), message)
        .run();
    if (payload->place == Place::Row)
      Query(connection, "INSERT INTO bodies (message, octets) VALUES (?, ?)")
          .bind(message, payload->octets)
          .run();
  }
  if (const auto& wire = bodies.wire)
    Query(
        connection,
        "INSERT INTO wires (message, headers, place, size, octets, begin_in_file) VALUES (?, ?, ?, ?, ?, ?)")
        .bind(message, bodies.wire_headers, to_string(wire->place), static_cast<std::int64_t>(wire->size),
              wire->octets, static_cast<std::int64_t>(wire->begin))
        .run();
  if (const auto& proof = bodies.proof)
    Query(
        connection,
        "INSERT INTO proofs (message, signature, head, payload_follows, place, size, octets, begin_in_file) "
        "VALUES (?, ?, ?, ?, ?, ?, ?, ?)")
        .bind(message, proof->signature, proof->head, std::int64_t{proof->payload_follows},
              to_string(proof->rest.place), static_cast<std::int64_t>(proof->rest.size), proof->rest.octets,
              static_cast<std::int64_t>(proof->rest.begin))
        .run();
}

void SqliteStore::remove_files(const std::vector<std::string>& names) const {
  for (const std::string& name : names) bodies_.remove(name);
}

void SqliteStore::commit(std::shared_ptr<const Bodies> bodies, Database::Work work, Done done) {
  auto complete = std::make_shared<bool>(false);
  database_->write(
      [work = std::move(work), complete](SqlConnection& connection) -> Result<> {
        SIGNET_CHECK(work(connection));
        *complete = true;
        return {};
      },
      [this, bodies = std::move(bodies), complete, done = std::move(done)](Result<> outcome) {
        settle_files(*bodies, outcome.has_value(), *complete);
        done(std::move(outcome));
      });
}

void SqliteStore::settle_files(const Bodies& bodies, bool committed, bool complete) {
  const std::lock_guard lock(doubtful_mutex_);
  if (committed) {
    remove_files(doubtful_files_);
    doubtful_files_.clear();
    return;
  }
  const std::vector<std::string> files = bodies.files();
  if (!complete) return remove_files(files);
  doubtful_files_.insert(doubtful_files_.end(), files.begin(), files.end());
}

}  // namespace signet::gateway
