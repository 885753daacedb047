import java.io.IOException;
import java.io.Reader;
import java.nio.file.Files;
import java.nio.file.Path;
import java.security.GeneralSecurityException;
import java.security.PrivateKey;
import java.security.cert.X509Certificate;
import org.bouncycastle.asn1.pkcs.PrivateKeyInfo;
import org.bouncycastle.cert.X509CertificateHolder;
import org.bouncycastle.cert.jcajce.JcaX509CertificateConverter;
import org.bouncycastle.openssl.PEMKeyPair;
import org.bouncycastle.openssl.PEMParser;
import org.bouncycastle.openssl.jcajce.JcaPEMKeyConverter;

/** Keys (PKCS#8 or the older RSA and EC forms, unencrypted) and certificates from PEM files. */
final class Pem {
  private Pem() {}

  static X509Certificate certificate(Path file) throws IOException, GeneralSecurityException {
    try (Reader reader = Files.newBufferedReader(file);
        PEMParser parser = new PEMParser(reader)) {
      for (Object object = parser.readObject(); object != null; object = parser.readObject()) {
        if (object instanceof X509CertificateHolder) {
          return new JcaX509CertificateConverter()
              .setProvider("BC")
              .getCertificate((X509CertificateHolder) object);
        }
      }
    }
    throw new IOException("expected a PEM certificate in " + file + ", found none");
  }

  static PrivateKey privateKey(Path file) throws IOException {
    JcaPEMKeyConverter converter = new JcaPEMKeyConverter().setProvider("BC");
    try (Reader reader = Files.newBufferedReader(file);
        PEMParser parser = new PEMParser(reader)) {
      for (Object object = parser.readObject(); object != null; object = parser.readObject()) {
        if (object instanceof PrivateKeyInfo) {
          return converter.getPrivateKey((PrivateKeyInfo) object);
        }
        if (object instanceof PEMKeyPair) {
          return converter.getKeyPair((PEMKeyPair) object).getPrivate();
        }
      }
    }
    throw new IOException("expected an unencrypted PEM private key in " + file + ", found none");
  }
}
