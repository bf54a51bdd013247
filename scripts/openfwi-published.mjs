/**
 * OpenFWI's published benchmark, corrected November 2022 (openfwi-lanl.github.io, benchmark page; arXiv:2111.02926): MAE, RMSE
 * on maps scaled to [-1, 1], and SSIM. Columns: InversionNet trained with L1, with L2; VelocityGAN L1, L2; UPFWI.
 */
export const columns = [
  "InversionNet L1",
  "InversionNet L2",
  "VelocityGAN L1",
  "VelocityGAN L2",
  "UPFWI",
];

const rows = `
flatvel-a    .0131/.0211/.9895 .0131/.0180/.9887 .0118/.0178/.9916 .0605/.0783/.9453 .0621/.1233/.9563
flatvel-b    .0351/.0876/.9461 .0417/.0909/.9402 .0329/.0807/.9521 .0328/.0787/.9556 .0677/.1493/.8874
curvevel-a   .0685/.1273/.8074 .0690/.1202/.8223 .0482/.1034/.8624 .0510/.0976/.8758 .0805/.1411/.8443
curvevel-b   .1497/.2891/.6727 .1624/.2801/.6661 .1268/.2618/.7111 .1428/.2611/.6962 .1777/.3179/.6614
flatfault-a  .0172/.0426/.9766 .0174/.0362/.9798 .0868/.1485/.9313 .0319/.0531/.9798 .0876/.2060/.9340
flatfault-b  .1055/.1741/.7208 .1106/.1723/.7186 .0925/.1600/.7476 .0946/.1553/.7552 .1416/.2220/.6937
curvefault-a .0260/.0650/.9566 .0280/.0602/.9592 .0258/.0606/.9613 .0216/.0505/.9687 .0500/.0966/.9495
curvefault-b .1646/.2477/.6163 .1669/.2412/.6053 .1571/.2427/.5996 .1583/.2336/.6033 .3452/.5010/.3941
style-a      .0625/.1024/.8859 .0610/.0989/.8910 .0612/.1000/.8883 .0645/.1025/.8882 .1429/.2342/.7846
style-b      .0689/.1614/.6314 .0586/.0893/.7599 .0697/.1108/.6953 .0649/.0979/.7249 .1702/.2609/.6102`;

/** family -> one {mae, rmse, ssim} per column. */
export const published = Object.fromEntries(
  rows
    .trim()
    .split("\n")
    .map((row) => {
      const [family, ...cells] = row.trim().split(/\s+/);
      const scores = cells.map((cell) => {
        const [mae, rmse, ssim] = cell.split("/").map(Number);
        return { mae, rmse, ssim };
      });
      return [family, scores];
    }),
);
