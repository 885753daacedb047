import java.io.IOException;
import java.io.InputStream;
import java.io.OutputStream;
import java.nio.file.Files;
import org.bouncycastle.asn1.cms.ContentInfo;
import org.bouncycastle.cms.CMSCompressedData;
import org.bouncycastle.cms.CMSCompressedDataGenerator;
import org.bouncycastle.cms.CMSCompressedDataParser;
import org.bouncycastle.cms.CMSCompressedDataStreamGenerator;
import org.bouncycastle.cms.CMSException;
import org.bouncycastle.cms.CMSProcessableByteArray;
import org.bouncycastle.cms.CMSTypedStream;
import org.bouncycastle.cms.jcajce.ZlibCompressor;
import org.bouncycastle.cms.jcajce.ZlibExpanderProvider;

/** CompressedData (RFC 3274). */
final class Compressing {
  private Compressing() {}

  /** compress in= out= [encoding=der|ber] [chunk=OCTETS] */
  static Answer compress(Command command) throws IOException, CMSException {
    command.allowOnly("in", "out", "encoding", "chunk");
    if (command.text("encoding", "der").equals("ber")) {
      CMSCompressedDataStreamGenerator generator = new CMSCompressedDataStreamGenerator();
      generator.setBufferSize(Integer.parseInt(command.text("chunk", "1000")));
      try (InputStream in = Files.newInputStream(command.path("in"));
          OutputStream file = Files.newOutputStream(command.path("out"));
          OutputStream out = generator.open(file, new ZlibCompressor())) {
        in.transferTo(out);
      }
    } else {
      CMSCompressedData data =
          new CMSCompressedDataGenerator()
              .generate(
                  new CMSProcessableByteArray(Files.readAllBytes(command.path("in"))), new ZlibCompressor());
      ContentInfo structure = data.toASN1Structure();
      Files.write(command.path("out"), structure.getEncoded("DER"));
    }
    return new Answer().with("size", Files.size(command.path("out")));
  }

  /** decompress in= out= [limit=OCTETS] */
  static Answer decompress(Command command) throws IOException, CMSException {
    command.allowOnly("in", "out", "limit");
    ZlibExpanderProvider expander =
        command.has("limit")
            ? new ZlibExpanderProvider(Long.parseLong(command.text("limit")))
            : new ZlibExpanderProvider();
    try (InputStream in = Files.newInputStream(command.path("in"));
        OutputStream out = Files.newOutputStream(command.path("out"))) {
      CMSTypedStream content = new CMSCompressedDataParser(in).getContent(expander);
      content.getContentStream().transferTo(out);
    }
    return new Answer().with("size", Files.size(command.path("out")));
  }
}
