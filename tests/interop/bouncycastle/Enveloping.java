import java.io.IOException;
import java.io.InputStream;
import java.io.OutputStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.security.GeneralSecurityException;
import java.security.KeyPair;
import java.security.KeyPairGenerator;
import java.security.PrivateKey;
import java.security.cert.X509Certificate;
import java.security.interfaces.ECPublicKey;
import java.security.spec.MGF1ParameterSpec;
import java.util.Map;
import javax.crypto.spec.OAEPParameterSpec;
import javax.crypto.spec.PSource;
import org.bouncycastle.asn1.ASN1ObjectIdentifier;
import org.bouncycastle.asn1.ASN1SequenceParser;
import org.bouncycastle.asn1.ASN1StreamParser;
import org.bouncycastle.asn1.cms.CMSObjectIdentifiers;
import org.bouncycastle.asn1.cms.ContentInfoParser;
import org.bouncycastle.asn1.pkcs.PKCSObjectIdentifiers;
import org.bouncycastle.asn1.x509.AlgorithmIdentifier;
import org.bouncycastle.cert.jcajce.JcaX509ExtensionUtils;
import org.bouncycastle.cms.CMSAlgorithm;
import org.bouncycastle.cms.CMSAuthEnvelopedData;
import org.bouncycastle.cms.CMSAuthEnvelopedDataGenerator;
import org.bouncycastle.cms.CMSEnvelopedData;
import org.bouncycastle.cms.CMSEnvelopedDataGenerator;
import org.bouncycastle.cms.CMSEnvelopedDataParser;
import org.bouncycastle.cms.CMSEnvelopedDataStreamGenerator;
import org.bouncycastle.cms.CMSEnvelopedGenerator;
import org.bouncycastle.cms.CMSException;
import org.bouncycastle.cms.CMSProcessableByteArray;
import org.bouncycastle.cms.KeyAgreeRecipientId;
import org.bouncycastle.cms.Recipient;
import org.bouncycastle.cms.RecipientInfoGenerator;
import org.bouncycastle.cms.RecipientInformation;
import org.bouncycastle.cms.RecipientInformationStore;
import org.bouncycastle.cms.jcajce.JceCMSContentEncryptorBuilder;
import org.bouncycastle.cms.jcajce.JceKeyAgreeEnvelopedRecipient;
import org.bouncycastle.cms.jcajce.JceKeyAgreeRecipientId;
import org.bouncycastle.cms.jcajce.JceKeyAgreeRecipientInfoGenerator;
import org.bouncycastle.cms.jcajce.JceKeyTransAuthEnvelopedRecipient;
import org.bouncycastle.cms.jcajce.JceKeyTransEnvelopedRecipient;
import org.bouncycastle.cms.jcajce.JceKeyTransRecipientId;
import org.bouncycastle.cms.jcajce.JceKeyTransRecipientInfoGenerator;
import org.bouncycastle.operator.OutputAEADEncryptor;
import org.bouncycastle.operator.OutputEncryptor;
import org.bouncycastle.operator.jcajce.JcaAlgorithmParametersConverter;

/** EnvelopedData and, for GCM, AuthEnvelopedData. */
final class Enveloping {
  private static final Map<String, ASN1ObjectIdentifier> CIPHERS =
      Map.of(
          "aes128-cbc", CMSAlgorithm.AES128_CBC,
          "aes192-cbc", CMSAlgorithm.AES192_CBC,
          "aes256-cbc", CMSAlgorithm.AES256_CBC,
          "aes128-gcm", CMSAlgorithm.AES128_GCM,
          "aes192-gcm", CMSAlgorithm.AES192_GCM,
          "aes256-gcm", CMSAlgorithm.AES256_GCM,
          "3des-cbc", CMSAlgorithm.DES_EDE3_CBC);
  private static final Map<String, ASN1ObjectIdentifier> KDFS =
      Map.of(
          "sha1", CMSAlgorithm.ECDH_SHA1KDF,
          "sha256", CMSAlgorithm.ECDH_SHA256KDF,
          "sha384", CMSAlgorithm.ECDH_SHA384KDF,
          "sha512", CMSAlgorithm.ECDH_SHA512KDF);

  private Enveloping() {}

  /**
   * encrypt in= out= to=CERT... [cipher=aes256-cbc] [transport=rsa|oaep-sha1|oaep-sha256|oaep-sha384|oaep-sha512]
   * [kdf=sha256] [recipient=issuer|ski] [encoding=der|ber] [chunk=OCTETS]; to= repeats for several recipients,
   * RSA and EC may be mixed.
   */
  static Answer encrypt(Command command) throws Exception {
    command.allowOnly(
        "in", "out", "to", "cipher", "transport", "kdf", "recipient", "encoding", "chunk");
    String cipher = command.text("cipher", "aes256-cbc");
    if (!CIPHERS.containsKey(cipher)) {
      throw new IllegalArgumentException("cipher= takes " + CIPHERS.keySet() + ", got '" + cipher + "'");
    }
    OutputEncryptor encryptor =
        new JceCMSContentEncryptorBuilder(CIPHERS.get(cipher)).setProvider("BC").build();
    boolean ber = command.text("encoding", "der").equals("ber");
    if (cipher.endsWith("gcm")) {
      CMSAuthEnvelopedDataGenerator generator = new CMSAuthEnvelopedDataGenerator();
      addRecipients(command, generator);
      CMSAuthEnvelopedData made = generator.generate(content(command), (OutputAEADEncryptor) encryptor);
      Files.write(command.path("out"), made.toASN1Structure().getEncoded(ber ? "BER" : "DER"));
    } else if (ber) {
      CMSEnvelopedDataStreamGenerator generator = new CMSEnvelopedDataStreamGenerator();
      generator.setBufferSize(Integer.parseInt(command.text("chunk", "1000")));
      addRecipients(command, generator);
      try (InputStream in = Files.newInputStream(command.path("in"));
          OutputStream file = Files.newOutputStream(command.path("out"));
          OutputStream out = generator.open(file, encryptor)) {
        in.transferTo(out);
      }
    } else {
      CMSEnvelopedDataGenerator generator = new CMSEnvelopedDataGenerator();
      addRecipients(command, generator);
      CMSEnvelopedData made = generator.generate(content(command), encryptor);
      Files.write(command.path("out"), made.toASN1Structure().getEncoded("DER"));
    }
    return new Answer().with("size", Files.size(command.path("out")));
  }

  /** decrypt in= out= key= cert=; EnvelopedData as a stream, AuthEnvelopedData in memory. */
  static Answer decrypt(Command command) throws Exception {
    command.allowOnly("in", "out", "key", "cert");
    PrivateKey key = Pem.privateKey(command.path("key"));
    X509Certificate certificate = Pem.certificate(command.path("cert"));
    ASN1ObjectIdentifier type = contentType(command.path("in"));
    try (InputStream in = Files.newInputStream(command.path("in"))) {
      if (type.equals(CMSObjectIdentifiers.authEnvelopedData)) {
        CMSAuthEnvelopedData data = new CMSAuthEnvelopedData(in);
        return decrypt(command, data.getRecipientInfos(), key, certificate, true);
      }
      if (type.equals(CMSObjectIdentifiers.envelopedData)) {
        CMSEnvelopedDataParser data = new CMSEnvelopedDataParser(in);
        return decrypt(command, data.getRecipientInfos(), key, certificate, false)
            .with("cipher", data.getContentEncryptionAlgorithm().getAlgorithm());
      }
    }
    throw new CMSException("expected EnvelopedData or AuthEnvelopedData, got content type " + type);
  }

  private static Answer decrypt(
      Command command,
      RecipientInformationStore recipients,
      PrivateKey key,
      X509Certificate certificate,
      boolean authenticated)
      throws Exception {
    boolean agreement = certificate.getPublicKey() instanceof ECPublicKey;
    RecipientInformation ours = find(recipients, certificate, agreement);
    if (ours == null) {
      throw new CMSException("none of the " + recipients.size() + " recipients is " + certificate.getSubjectX500Principal());
    }
    try (OutputStream out = Files.newOutputStream(command.path("out"))) {
      ours.getContentStream(recipient(key, agreement, authenticated)).getContentStream().transferTo(out);
    }
    return new Answer()
        .with("type", authenticated ? "authEnveloped" : "enveloped")
        .with("recipients", recipients.size())
        .with("key_encryption", ours.getKeyEncryptionAlgOID())
        .with("size", Files.size(command.path("out")));
  }

  /** By issuer and serial number, else by subject key identifier: the ids for key transport match either, those for key agreement do not. */
  private static RecipientInformation find(
      RecipientInformationStore recipients, X509Certificate certificate, boolean agreement)
      throws GeneralSecurityException {
    if (!agreement) {
      return recipients.get(new JceKeyTransRecipientId(certificate));
    }
    RecipientInformation byIssuer = recipients.get(new JceKeyAgreeRecipientId(certificate));
    return byIssuer != null ? byIssuer : recipients.get(new KeyAgreeRecipientId(subjectKeyIdentifier(certificate)));
  }

  private static Recipient recipient(PrivateKey key, boolean agreement, boolean authenticated) {
    if (agreement) {
      return authenticated
          ? new KeyAgreeAuthEnvelopedRecipient(key)
          : new JceKeyAgreeEnvelopedRecipient(key).setProvider("BC");
    }
    return authenticated
        ? new JceKeyTransAuthEnvelopedRecipient(key).setProvider("BC")
        : new JceKeyTransEnvelopedRecipient(key).setProvider("BC");
  }

  private static void addRecipients(Command command, CMSEnvelopedGenerator generator) throws Exception {
    if (!command.has("to")) {
      throw new IllegalArgumentException("encrypt needs to=CERTIFICATE at least once");
    }
    for (String file : command.all("to")) {
      X509Certificate certificate = Pem.certificate(Path.of(file));
      generator.addRecipientInfoGenerator(
          certificate.getPublicKey() instanceof ECPublicKey
              ? keyAgreement(command, certificate)
              : keyTransport(command, certificate));
    }
  }

  private static RecipientInfoGenerator keyTransport(Command command, X509Certificate certificate) throws Exception {
    byte[] ski = command.text("recipient", "issuer").equals("ski") ? subjectKeyIdentifier(certificate) : null;
    String transport = command.text("transport", "rsa");
    if (transport.equals("rsa")) {
      return (ski == null
              ? new JceKeyTransRecipientInfoGenerator(certificate)
              : new JceKeyTransRecipientInfoGenerator(ski, certificate.getPublicKey()))
          .setProvider("BC");
    }
    AlgorithmIdentifier oaep = oaep(transport);
    return (ski == null
            ? new JceKeyTransRecipientInfoGenerator(certificate, oaep)
            : new JceKeyTransRecipientInfoGenerator(ski, oaep, certificate.getPublicKey()))
        .setProvider("BC");
  }

  private static AlgorithmIdentifier oaep(String transport) throws GeneralSecurityException {
    Map<String, String> hashes =
        Map.of("oaep-sha1", "SHA-1", "oaep-sha256", "SHA-256", "oaep-sha384", "SHA-384", "oaep-sha512", "SHA-512");
    String hash = hashes.get(transport);
    if (hash == null) {
      throw new IllegalArgumentException("transport= takes rsa or " + hashes.keySet() + ", got '" + transport + "'");
    }
    return new JcaAlgorithmParametersConverter()
        .getAlgorithmIdentifier(
            PKCSObjectIdentifiers.id_RSAES_OAEP,
            new OAEPParameterSpec(hash, "MGF1", new MGF1ParameterSpec(hash), PSource.PSpecified.DEFAULT));
  }

  private static RecipientInfoGenerator keyAgreement(Command command, X509Certificate certificate) throws Exception {
    String kdf = command.text("kdf", "sha256");
    if (!KDFS.containsKey(kdf)) {
      throw new IllegalArgumentException("kdf= takes " + KDFS.keySet() + ", got '" + kdf + "'");
    }
    KeyPairGenerator generator = KeyPairGenerator.getInstance("EC", "BC");
    generator.initialize(((ECPublicKey) certificate.getPublicKey()).getParams());
    KeyPair ephemeral = generator.generateKeyPair();
    ASN1ObjectIdentifier wrap =
        command.text("cipher", "aes256-cbc").startsWith("aes128") ? CMSAlgorithm.AES128_WRAP : CMSAlgorithm.AES256_WRAP;
    JceKeyAgreeRecipientInfoGenerator recipient =
        new JceKeyAgreeRecipientInfoGenerator(KDFS.get(kdf), ephemeral.getPrivate(), ephemeral.getPublic(), wrap);
    recipient.setProvider("BC");
    return command.text("recipient", "issuer").equals("ski")
        ? recipient.addRecipient(subjectKeyIdentifier(certificate), certificate.getPublicKey())
        : recipient.addRecipient(certificate);
  }

  private static byte[] subjectKeyIdentifier(X509Certificate certificate) throws GeneralSecurityException {
    return new JcaX509ExtensionUtils().createSubjectKeyIdentifier(certificate.getPublicKey()).getKeyIdentifier();
  }

  private static CMSProcessableByteArray content(Command command) throws IOException {
    return new CMSProcessableByteArray(Files.readAllBytes(command.path("in")));
  }

  private static ASN1ObjectIdentifier contentType(Path file) throws IOException {
    try (InputStream in = Files.newInputStream(file)) {
      return new ContentInfoParser((ASN1SequenceParser) new ASN1StreamParser(in).readObject()).getContentType();
    }
  }
}
