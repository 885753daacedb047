/** The answer to one command: {@code ok} and {@code key=value} words, parted by tabs, on one line. */
final class Answer {
  private final StringBuilder line = new StringBuilder("ok");

  Answer with(String key, Object value) {
    line.append('\t').append(key).append('=').append(clean(String.valueOf(value)));
    return this;
  }

  static String error(Throwable cause) {
    StringBuilder text = new StringBuilder();
    for (Throwable t = cause; t != null; t = t.getCause()) {
      if (text.length() > 0) {
        text.append(" <- ");
      }
      text.append(t.getClass().getSimpleName()).append(": ").append(t.getMessage());
    }
    return "error\t" + clean(text.toString());
  }

  private static String clean(String text) {
    return text.replaceAll("[\\t\\r\\n]+", " ");
  }

  @Override
  public String toString() {
    return line.toString();
  }
}
