import { requirePrefix } from "../policy.ts";
import { queryValue } from "../request.ts";
import { compareKeys } from "../store/key-index.ts";
import type { Upload } from "../store/uploads.ts";
import { writeXml } from "../xml.ts";
import { type BucketContext, type S3Answer, xmlAnswer } from "./context.ts";
import { commonPrefixOf } from "./list-page.ts";
import { readCount, readEncoding } from "./list-query.ts";

/** ListMultipartUploads. */
export async function listUploads(context: BucketContext): Promise<S3Answer> {
  const { request, policy, bucketName, bucket } = context;
  const prefix = queryValue(request, "prefix") ?? "";
  requirePrefix(policy, "ListMultipartUploads", bucketName, prefix);
  const delimiter = queryValue(request, "delimiter") ?? "";
  const keyMarker = queryValue(request, "key-marker") ?? "";
  const idMarker = queryValue(request, "upload-id-marker") ?? "";
  const encoding = readEncoding(request);
  const max = readCount(context, "max-uploads");
  const sorted = [...bucket.uploads.all()].filter(({ key }) => key.startsWith(prefix)).sort(compareUploads);
  const page = takePage(sorted, { prefix, delimiter, keyMarker, idMarker, max });
  return xmlAnswer(
    writeXml("ListMultipartUploadsResult", {
      Bucket: bucketName,
      KeyMarker: encoding.encode(keyMarker),
      UploadIdMarker: idMarker,
      NextKeyMarker: page.isTruncated ? encoding.encode(page.lastKey) : undefined,
      NextUploadIdMarker: page.isTruncated ? page.lastId : undefined,
      Prefix: encoding.encode(prefix),
      Delimiter: delimiter === "" ? undefined : encoding.encode(delimiter),
      EncodingType: encoding.name,
      MaxUploads: max,
      IsTruncated: page.isTruncated,
      Upload: page.uploads.map((upload) => ({
        Key: encoding.encode(upload.key),
        UploadId: upload.id,
        StorageClass: "STANDARD",
        Initiated: new Date(upload.initiatedMs).toISOString(),
      })),
      CommonPrefixes: page.groups.map((group) => ({ Prefix: encoding.encode(group) })),
    }),
  );
}

type UploadsQuery = {
  readonly prefix: string;
  readonly delimiter: string;
  readonly keyMarker: string;
  readonly idMarker: string;
  readonly max: number;
};

function takePage(sorted: readonly Upload[], query: UploadsQuery) {
  const uploads: Upload[] = [];
  const groups: string[] = [];
  let lastKey = "";
  let lastId = "";
  for (const upload of sorted) {
    const group = commonPrefixOf(upload.key, query.prefix, query.delimiter);
    if (group !== undefined && (group === lastKey || compareKeys(group, query.keyMarker) <= 0)) continue;
    if (group === undefined && !isAfterMarker(upload, query)) continue;
    if (uploads.length + groups.length >= query.max) {
      return { uploads, groups, isTruncated: query.max > 0, lastKey, lastId };
    }
    lastKey = group ?? upload.key;
    lastId = group === undefined ? upload.id : "";
    if (group === undefined) uploads.push(upload);
    else groups.push(group);
  }
  return { uploads, groups, isTruncated: false, lastKey, lastId };
}

function isAfterMarker(upload: Upload, { keyMarker, idMarker }: UploadsQuery): boolean {
  const order = compareKeys(upload.key, keyMarker);
  return order > 0 || (order === 0 && idMarker !== "" && upload.id > idMarker);
}

const compareUploads = (a: Upload, b: Upload) => compareKeys(a.key, b.key) || (a.id < b.id ? -1 : 1);
