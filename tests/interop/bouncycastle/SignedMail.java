import java.io.InputStream;
import java.io.OutputStream;
import java.nio.file.Files;
import java.security.cert.X509Certificate;
import java.util.Properties;
import javax.mail.Session;
import javax.mail.internet.MimeBodyPart;
import javax.mail.internet.MimeMessage;
import javax.mail.internet.MimeMultipart;
import org.bouncycastle.cms.CMSException;
import org.bouncycastle.mail.smime.SMIMESigned;

/** A whole multipart/signed entity, read by JavaMail and BouncyCastle's mail package, the way Java AS2 products do. */
final class SignedMail {
  private SignedMail() {}

  /** open-signed in= cert= [out=]: out= gets the first part, headers included. */
  static Answer open(Command command) throws Exception {
    command.allowOnly("in", "cert", "out");
    X509Certificate certificate = Pem.certificate(command.path("cert"));
    MimeMessage message;
    try (InputStream in = Files.newInputStream(command.path("in"))) {
      message = new MimeMessage(Session.getInstance(new Properties()), in);
    }
    Object content = message.getContent();
    if (!message.isMimeType("multipart/signed") || !(content instanceof MimeMultipart)) {
      throw new CMSException("expected multipart/signed, got " + message.getContentType());
    }
    MimeMultipart multipart = (MimeMultipart) content;
    if (multipart.getCount() != 2) {
      throw new CMSException("expected two parts, got " + multipart.getCount());
    }
    // "binary": the default, "7bit", would rewrite the line ends of the first part before it is digested.
    SMIMESigned signed = new SMIMESigned(multipart, "binary");
    Answer answer =
        Signing.describe(
            signed.getSignerInfos().getSigners(), Signing.carried(signed.getCertificates()), certificate);
    MimeBodyPart part = (MimeBodyPart) multipart.getBodyPart(0);
    if (command.has("out")) {
      try (OutputStream out = Files.newOutputStream(command.path("out"))) {
        part.writeTo(out);
      }
    }
    return answer.with("type", part.getContentType()).with("file", part.getFileName());
  }
}
