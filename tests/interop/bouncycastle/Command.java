import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Set;

/** One command line: a name, then {@code key=value} words. A key may occur more than once. */
final class Command {
  final String name;
  private final List<String[]> values = new ArrayList<>();

  Command(List<String> words) {
    if (words.isEmpty()) {
      throw new IllegalArgumentException("expected a command, got an empty line; 'help' lists the commands");
    }
    name = words.get(0);
    for (String word : words.subList(1, words.size())) {
      int equals = word.indexOf('=');
      if (equals <= 0) {
        throw new IllegalArgumentException("expected key=value, got '" + word + "'");
      }
      values.add(new String[] {word.substring(0, equals), word.substring(equals + 1)});
    }
  }

  /** A misspelt option must not quietly test something else. */
  void allowOnly(String... keys) {
    Set<String> allowed = Set.of(keys);
    for (String[] value : values) {
      if (!allowed.contains(value[0])) {
        throw new IllegalArgumentException(name + " knows no option '" + value[0] + "'; it knows " + allowed);
      }
    }
  }

  List<String> all(String key) {
    List<String> found = new ArrayList<>();
    for (String[] value : values) {
      if (value[0].equals(key)) {
        found.add(value[1]);
      }
    }
    return found;
  }

  boolean has(String key) {
    return !all(key).isEmpty();
  }

  String text(String key) {
    List<String> found = all(key);
    if (found.size() != 1) {
      throw new IllegalArgumentException(name + " needs " + key + "=... once, got it " + found.size() + " times");
    }
    return found.get(0);
  }

  String text(String key, String fallback) {
    return has(key) ? text(key) : fallback;
  }

  Path path(String key) {
    return Path.of(text(key));
  }

  boolean flag(String key, boolean fallback) {
    switch (text(key, fallback ? "yes" : "no")) {
      case "yes":
        return true;
      case "no":
        return false;
      default:
        throw new IllegalArgumentException(key + "= takes yes or no, got '" + text(key) + "'");
    }
  }
}
