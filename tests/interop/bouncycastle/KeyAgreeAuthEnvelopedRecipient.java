import java.io.FilterInputStream;
import java.io.IOException;
import java.io.InputStream;
import java.io.OutputStream;
import java.security.GeneralSecurityException;
import java.security.Key;
import java.security.PrivateKey;
import javax.crypto.Cipher;
import javax.crypto.spec.GCMParameterSpec;
import org.bouncycastle.asn1.ASN1OctetString;
import org.bouncycastle.asn1.cms.GCMParameters;
import org.bouncycastle.asn1.x509.AlgorithmIdentifier;
import org.bouncycastle.asn1.x509.SubjectPublicKeyInfo;
import org.bouncycastle.cms.CMSException;
import org.bouncycastle.cms.RecipientOperator;
import org.bouncycastle.cms.jcajce.JceKeyAgreeRecipient;
import org.bouncycastle.operator.InputAEADDecryptor;

/**
 * AuthEnvelopedData for an EC key. BouncyCastle 1.72 has the key agreement but joins it to EnvelopedData only; this
 * joins it to AES-GCM, along the lines of its own class for key transport.
 */
final class KeyAgreeAuthEnvelopedRecipient extends JceKeyAgreeRecipient {
  KeyAgreeAuthEnvelopedRecipient(PrivateKey key) {
    super(key);
    setProvider("BC");
  }

  @Override
  public RecipientOperator getRecipientOperator(
      AlgorithmIdentifier keyEncryption,
      AlgorithmIdentifier contentEncryption,
      SubjectPublicKeyInfo sender,
      ASN1OctetString userKeyingMaterial,
      byte[] encryptedKey)
      throws CMSException {
    Key key = extractSecretKey(keyEncryption, contentEncryption, sender, userKeyingMaterial, encryptedKey);
    GCMParameters parameters = GCMParameters.getInstance(contentEncryption.getParameters());
    try {
      Cipher cipher = Cipher.getInstance("AES/GCM/NoPadding", "BC");
      cipher.init(
          Cipher.DECRYPT_MODE, key, new GCMParameterSpec(parameters.getIcvLen() * 8, parameters.getNonce()));
      return new RecipientOperator(new GcmDecryptor(contentEncryption, cipher));
    } catch (GeneralSecurityException cause) {
      throw new CMSException("cannot decrypt with " + contentEncryption.getAlgorithm(), cause);
    }
  }

  private static final class GcmDecryptor implements InputAEADDecryptor {
    private final AlgorithmIdentifier algorithm;
    private final Cipher cipher;

    GcmDecryptor(AlgorithmIdentifier algorithm, Cipher cipher) {
      this.algorithm = algorithm;
      this.cipher = cipher;
    }

    @Override
    public AlgorithmIdentifier getAlgorithmIdentifier() {
      return algorithm;
    }

    @Override
    public OutputStream getAADStream() {
      return new OutputStream() {
        @Override
        public void write(int octet) {
          cipher.updateAAD(new byte[] {(byte) octet});
        }
      };
    }

    /** The JDK's CipherInputStream swallows a wrong tag on older versions, so the whole is decrypted at once. */
    @Override
    public InputStream getInputStream(InputStream encrypted) {
      return new FilterInputStream(encrypted) {
        private InputStream plain;

        private InputStream plain() throws IOException {
          if (plain == null) {
            try {
              plain = new java.io.ByteArrayInputStream(cipher.doFinal(in.readAllBytes()));
            } catch (GeneralSecurityException cause) {
              throw new IOException("wrong tag", cause);
            }
          }
          return plain;
        }

        @Override
        public int read() throws IOException {
          return plain().read();
        }

        @Override
        public int read(byte[] buffer, int offset, int length) throws IOException {
          return plain().read(buffer, offset, length);
        }
      };
    }

    @Override
    public byte[] getMAC() {
      return new byte[0];
    }
  }
}
