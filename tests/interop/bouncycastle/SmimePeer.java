import java.io.BufferedReader;
import java.io.InputStreamReader;
import java.io.PrintStream;
import java.nio.charset.StandardCharsets;
import java.security.Security;
import java.util.Arrays;
import java.util.List;
import org.bouncycastle.jce.provider.BouncyCastleProvider;

/**
 * BouncyCastle as a test peer: makes and reads CMS and S/MIME files on command.
 *
 * <p>With arguments it runs that one command and its exit code tells the outcome. Without, it reads commands
 * from standard input, one per line, words parted by tabs, and answers each with one line: {@code ok} or
 * {@code error}, a tab, details. So a test of a hundred messages starts one JVM.
 */
public final class SmimePeer {
  private static final String HELP =
      "sign verify open-signed encrypt decrypt compress decompress ping help quit (options: README.md)";

  private SmimePeer() {}

  public static void main(String[] arguments) throws Exception {
    Security.addProvider(new BouncyCastleProvider());
    PrintStream out = new PrintStream(System.out, false, StandardCharsets.UTF_8);
    if (arguments.length > 0) {
      String answer = answer(Arrays.asList(arguments));
      out.println(answer);
      out.flush();
      System.exit(answer.startsWith("ok") ? 0 : 1);
    }
    BufferedReader in = new BufferedReader(new InputStreamReader(System.in, StandardCharsets.UTF_8));
    for (String line = in.readLine(); line != null && !line.equals("quit"); line = in.readLine()) {
      out.println(answer(Arrays.asList(line.split("\t"))));
      out.flush();
    }
  }

  private static String answer(List<String> words) {
    try {
      return run(new Command(words)).toString();
    } catch (Exception | StackOverflowError | OutOfMemoryError failure) {
      return Answer.error(failure);
    }
  }

  private static Answer run(Command command) throws Exception {
    switch (command.name) {
      case "sign":
        return Signing.sign(command);
      case "verify":
        return Signing.verify(command);
      case "open-signed":
        return SignedMail.open(command);
      case "encrypt":
        return Enveloping.encrypt(command);
      case "decrypt":
        return Enveloping.decrypt(command);
      case "compress":
        return Compressing.compress(command);
      case "decompress":
        return Compressing.decompress(command);
      case "ping":
        return new Answer().with("version", BouncyCastleProvider.class.getPackage().getImplementationVersion());
      case "help":
        return new Answer().with("commands", HELP);
      default:
        throw new IllegalArgumentException("unknown command '" + command.name + "'; known: " + HELP);
    }
  }
}
