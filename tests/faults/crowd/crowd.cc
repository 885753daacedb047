// Hundreds of connections that post to one gateway, each one message at a time, and again at its next turn
// where the answer was "later", or none: so cheap that the gateway is overrun and the crowd is not
// (sim/flood.py).
//
//     signet_crowd PORT CONNECTIONS PERIOD REQUEST...
//
// PERIOD is the seconds from one turn of a connection to its next; 0 posts again as soon as there is an
// answer. Each REQUEST is a file with a whole HTTP request, whose Message-ID begins with ten digits that the
// crowd replaces by a number. No new message is begun once standard input has ended; the crowd ends when it
// has no message left. What came of each post is written to standard output, in one line:
//
//     answer NUMBER REQUEST STARTED SECONDS STATUS SIZE     then SIZE octets: the whole answer, if it is no
//     "later" lost NUMBER REQUEST
//
// STARTED is of the monotonic clock, REQUEST the place in the arguments.

#include <arpa/inet.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <sys/epoll.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cctype>
#include <cerrno>
#include <csignal>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <ctime>
#include <fstream>
#include <iterator>
#include <queue>
#include <string>
#include <string_view>
#include <vector>

namespace {

constexpr std::string_view kMessageId = "\r\nMessage-ID: <";
constexpr std::size_t kDigits = 10;
constexpr double kLongestWait = 0.1;  ///< seconds, until it is looked whether the input has ended
constexpr int kBegunAtATime = 4;  ///< posts, before answers are looked for again: or their time would be ours

double now() {
  timespec time{};
  ::clock_gettime(CLOCK_MONOTONIC, &time);
  return static_cast<double>(time.tv_sec) + static_cast<double>(time.tv_nsec) / 1e9;
}

[[noreturn]] void give_up(const std::string& why) {
  std::fprintf(stderr, "signet_crowd: %s\n", why.c_str());
  std::_Exit(2);
}

struct Prepared {
  std::string octets;
  std::size_t digits = 0;  ///< where the number stands
};

Prepared read_request(const char* file) {
  std::ifstream stream(file, std::ios::binary);
  Prepared prepared{{std::istreambuf_iterator<char>(stream), {}}, 0};
  const std::size_t field = prepared.octets.find(kMessageId);
  if (field == std::string::npos) give_up(std::string(file) + " is no request with a Message-ID");
  prepared.digits = field + kMessageId.size();
  return prepared;
}

struct Answer {
  int status = 0;
  std::size_t size = 0;  ///< with the head
  bool keeps_connection = true;

  /// Whether the message is settled by it: 5xx and 429 say "later".
  [[nodiscard]] bool settles() const { return status < 500 && status != 429; }
};

/// The value of a field of a head, "" where there is none.
std::string field_of(std::string_view head, std::string_view name) {
  const auto same = [](char a, char b) { return std::tolower(a) == std::tolower(b); };
  const std::string wanted = "\r\n" + std::string(name) + ": ";
  const auto found = std::search(head.begin(), head.end(), wanted.begin(), wanted.end(), same);
  if (found == head.end()) return "";
  const std::string_view rest = head.substr(static_cast<std::size_t>(found - head.begin()) + wanted.size());
  return std::string(rest.substr(0, rest.find("\r\n")));
}

/// The answer in `octets`; its size is 0 while it is not whole.
Answer read_answer(std::string_view octets) {
  const std::size_t end = octets.find("\r\n\r\n");
  if (end == std::string_view::npos) return {};
  const std::string_view head = octets.substr(0, end);
  Answer answer;
  answer.status = std::atoi(std::string(head.substr(std::min(head.size(), std::size_t{9}), 3)).c_str());
  answer.size = end + 4 + std::strtoul(field_of(head, "Content-Length").c_str(), nullptr, 10);
  answer.keeps_connection = field_of(head, "Connection") != "close";
  return answer.size <= octets.size() ? answer : Answer{};
}

/// One connection, and the message that it posts.
struct Poster {
  int socket = -1;
  bool has_message = false;
  std::uint64_t number = 0;  ///< of the message
  std::size_t prepared = 0;  ///< its request
  std::string request;
  std::size_t sent = 0;
  double started = 0;
  std::string received;

  void close() {
    if (socket >= 0) ::close(socket);
    socket = -1;
  }
};

class Crowd {
 public:
  Crowd(int port, std::size_t connections, double period, std::vector<Prepared> requests)
      : period_(period), requests_(std::move(requests)), posters_(connections), epoll_(::epoll_create1(0)) {
    gateway_.sin_family = AF_INET;
    gateway_.sin_port = htons(static_cast<std::uint16_t>(port));
    gateway_.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    const double start = now();
    for (std::size_t i = 0; i < connections; ++i)
      turns_.push({start + period * static_cast<double>(i) / static_cast<double>(connections), &posters_[i]});
  }

  void post_until_input_ends() {
    double next_look = now();
    while (!turns_.empty() || busy_ > 0) {
      if (!stopping_ && now() >= next_look) {
        stopping_ = input_has_ended();
        next_look = now() + kLongestWait;
      }
      for (int i = 0; i < kBegunAtATime && !turns_.empty() && turns_.top().due <= now(); ++i) {
        Poster& poster = *turns_.top().poster;
        turns_.pop();
        begin(poster);
      }
      await_answers(turns_.empty() ? kLongestWait : std::clamp(turns_.top().due - now(), 0.0, kLongestWait));
    }
  }

 private:
  struct Turn {
    double due;
    Poster* poster;
    bool operator<(const Turn& other) const { return due > other.due; }  // the first due is the top
  };

  static bool input_has_ended() {
    pollfd input{STDIN_FILENO, POLLIN, 0};
    char octet = 0;
    return ::poll(&input, 1, 0) == 1 && ::read(STDIN_FILENO, &octet, 1) <= 0;
  }

  void await_answers(double seconds) {
    std::array<epoll_event, 64> events{};
    const timespec patience{0, static_cast<long>(seconds * 1e9)};
    const int count =
        ::epoll_pwait2(epoll_, events.data(), static_cast<int>(events.size()), &patience, nullptr);
    for (int i = 0; i < count; ++i)
      go_on(*static_cast<Poster*>(events[static_cast<std::size_t>(i)].data.ptr));
  }

  void begin(Poster& poster) {
    if (!poster.has_message) {
      if (stopping_) return poster.close();
      give_message(poster);
    }
    ++busy_;
    poster.sent = 0;
    poster.received.clear();
    poster.started = now();
    if (poster.socket < 0) connect(poster);
    if (!send(poster)) lose(poster);
  }

  void give_message(Poster& poster) {
    poster.has_message = true;
    poster.number = next_number_++;
    poster.prepared = static_cast<std::size_t>(poster.number % requests_.size());
    const Prepared& prepared = requests_[poster.prepared];
    std::array<char, kDigits + 1> digits{};
    std::snprintf(digits.data(), digits.size(), "%0*llu", static_cast<int>(kDigits),
                  static_cast<unsigned long long>(poster.number));
    poster.request = prepared.octets;
    poster.request.replace(prepared.digits, kDigits, digits.data());
  }

  /// What comes of it, the first post says.
  void connect(Poster& poster) {
    poster.socket = ::socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
    if (poster.socket < 0) give_up("no descriptor for a connection");
    const int on = 1;
    ::setsockopt(poster.socket, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
    static_cast<void>(
        ::connect(poster.socket, reinterpret_cast<const sockaddr*>(&gateway_), sizeof gateway_));
    epoll_event event{};
    event.events = EPOLLIN | EPOLLOUT | EPOLLET;
    event.data.ptr = &poster;
    ::epoll_ctl(epoll_, EPOLL_CTL_ADD, poster.socket, &event);
  }

  void go_on(Poster& poster) {
    if (!poster.has_message || poster.socket < 0 || waits_for_turn(poster)) return;
    Answer answer;
    if (!send(poster) || !receive(poster, answer)) return lose(poster);
    if (answer.size > 0) take(poster, answer);
  }

  /// An event of a connection whose message is answered, and which posts again only later.
  static bool waits_for_turn(const Poster& poster) { return poster.started == 0; }

  static bool would_wait() { return errno == EAGAIN || errno == EWOULDBLOCK || errno == EINTR; }

  /// @returns false once the connection takes nothing more.
  static bool send(Poster& poster) {
    while (poster.sent < poster.request.size()) {
      const ssize_t count = ::send(poster.socket, poster.request.data() + poster.sent,
                                   poster.request.size() - poster.sent, MSG_NOSIGNAL);
      if (count < 0) return would_wait() || errno == ENOTCONN;
      poster.sent += static_cast<std::size_t>(count);
    }
    return true;
  }

  /// @returns false when the connection has ended before there was a whole answer.
  static bool receive(Poster& poster, Answer& answer) {
    std::array<char, 16 * 1024> octets;
    while (answer.size == 0) {
      const ssize_t count = ::recv(poster.socket, octets.data(), octets.size(), 0);
      if (count == 0) return false;
      if (count < 0) return would_wait();
      poster.received.append(octets.data(), static_cast<std::size_t>(count));
      answer = read_answer(poster.received);
    }
    return true;
  }

  void take(Poster& poster, const Answer& answer) {
    const double seconds = now() - poster.started;
    const std::size_t size = answer.settles() ? answer.size : 0;
    std::printf("answer %llu %zu %.6f %.6f %d %zu\n", static_cast<unsigned long long>(poster.number),
                poster.prepared, poster.started, seconds, answer.status, size);
    std::fwrite(poster.received.data(), 1, size, stdout);
    if (answer.settles()) poster.has_message = false;
    if (!answer.keeps_connection || poster.sent < poster.request.size()) poster.close();
    end_turn(poster);
  }

  void lose(Poster& poster) {
    std::printf("lost %llu %zu\n", static_cast<unsigned long long>(poster.number), poster.prepared);
    poster.close();
    end_turn(poster);
  }

  void end_turn(Poster& poster) {
    --busy_;
    turns_.push({std::max(now(), poster.started + period_), &poster});
    poster.started = 0;
  }

  const double period_;
  const std::vector<Prepared> requests_;
  std::vector<Poster> posters_;
  std::priority_queue<Turn> turns_;  ///< of the posters that post nothing just now
  std::size_t busy_ = 0;             ///< the others
  std::uint64_t next_number_ = 0;
  bool stopping_ = false;
  sockaddr_in gateway_{};
  int epoll_;
};

}  // namespace

int main(int argc, char** argv) {
  ::prctl(PR_SET_PDEATHSIG, SIGKILL);  // however the row ends, no crowd is left behind
  if (argc < 5) give_up("expected PORT CONNECTIONS PERIOD REQUEST...");
  std::vector<Prepared> requests;
  for (int i = 4; i < argc; ++i) requests.push_back(read_request(argv[i]));
  Crowd crowd(std::atoi(argv[1]), std::strtoul(argv[2], nullptr, 10), std::strtod(argv[3], nullptr),
              std::move(requests));
  crowd.post_until_input_ends();
  return std::fflush(stdout) == 0 ? 0 : 1;
}
