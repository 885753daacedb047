import java.io.ByteArrayInputStream;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.security.cert.CertPath;
import java.security.cert.CertPathValidator;
import java.security.cert.CertPathValidatorException;
import java.security.cert.CertStore;
import java.security.cert.CertificateFactory;
import java.security.cert.CollectionCertStoreParameters;
import java.security.cert.PKIXParameters;
import java.security.cert.TrustAnchor;
import java.security.cert.X509Certificate;
import java.util.ArrayList;
import java.util.Date;
import java.util.List;
import java.util.Set;

/**
 * What Java's PKIX says of certificates. Each argument is a folder with leaf.pem, anchor.pem, list.crl (which may be
 * missing), intermediate.pem (likewise) and time (seconds since 1970); a line comes out for each: "accept", or "reject",
 * TAB, why.
 */
public final class Pkix {
  public static void main(String[] folders) throws Exception {
    for (String folder : folders) System.out.println(verdict(Path.of(folder)));
  }

  private static String verdict(Path folder) throws Exception {
    CertificateFactory factory = CertificateFactory.getInstance("X.509");
    List<X509Certificate> certificates = new ArrayList<>();
    certificates.add(certificate(factory, folder.resolve("leaf.pem")));
    if (Files.exists(folder.resolve("intermediate.pem")))
      certificates.add(certificate(factory, folder.resolve("intermediate.pem")));
    PKIXParameters parameters =
        new PKIXParameters(Set.of(new TrustAnchor(certificate(factory, folder.resolve("anchor.pem")), null)));
    parameters.setDate(new Date(1000 * Long.parseLong(Files.readString(folder.resolve("time")).trim())));
    if (Files.exists(folder.resolve("list.crl")))
      parameters.addCertStore(
          CertStore.getInstance(
              "Collection", new CollectionCertStoreParameters(factory.generateCRLs(octets(folder.resolve("list.crl"))))));
    CertPath path = factory.generateCertPath(certificates);
    try {
      // Revocation is checked, as always, by the lists at hand: it fetches nothing unless it is told to.
      CertPathValidator.getInstance("PKIX").validate(path, parameters);
      return "accept";
    } catch (CertPathValidatorException refused) {
      return "reject\t" + refused.getReason() + ": " + refused.getMessage();
    }
  }

  private static X509Certificate certificate(CertificateFactory factory, Path file) throws Exception {
    return (X509Certificate) factory.generateCertificate(octets(file));
  }

  private static ByteArrayInputStream octets(Path file) throws IOException {
    return new ByteArrayInputStream(Files.readAllBytes(file));
  }
}
