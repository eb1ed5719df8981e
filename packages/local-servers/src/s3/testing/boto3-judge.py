"""Uses the gateway the way a Python app does and prints what it saw as JSON. Run by other-clients.test.ts."""
import io
import json
import os
import sys
import urllib.request

import boto3
from botocore.config import Config
from botocore.exceptions import ClientError

endpoint, bucket = sys.argv[1], "main"
seen = {}


def client(**keys):
    config = Config(retries={"max_attempts": 1}, s3={"addressing_style": "path"}, signature_version="s3v4")
    return boto3.client("s3", endpoint_url=endpoint, region_name="auto", config=config, **keys)


def status_of(call):
    try:
        return call()["ResponseMetadata"]["HTTPStatusCode"]
    except ClientError as error:
        return error.response["ResponseMetadata"]["HTTPStatusCode"]


root = client(aws_access_key_id="ROOTKEY", aws_secret_access_key="root-secret")
key = "a/b c+d~\u00e9/../x%20"
root.put_object(Bucket=bucket, Key=key, Body=b"hello", Metadata={"k": "v"}, ContentType="text/plain")
got = root.get_object(Bucket=bucket, Key=key)
seen["object"] = [got["Body"].read().decode(), got["Metadata"], got["ContentType"]]
seen["listed"] = [entry["Key"] for entry in root.list_objects_v2(Bucket=bucket, Prefix="a/")["Contents"]]

body = os.urandom(9 * 1024 * 1024)
root.upload_fileobj(io.BytesIO(body), bucket, "big")
copy = io.BytesIO()
root.download_fileobj(bucket, "big", copy)
seen["multipart"] = copy.getvalue() == body

url = root.generate_presigned_url("get_object", Params={"Bucket": bucket, "Key": key}, ExpiresIn=60)
seen["presigned"] = urllib.request.urlopen(url).read().decode()

keys = [{"Key": key}, {"Key": "big"}]
seen["deleted"] = len(root.delete_objects(Bucket=bucket, Delete={"Objects": keys})["Deleted"])

confined = client(
    aws_access_key_id="CONFINED", aws_secret_access_key="confined-secret", aws_session_token="confined-token"
)
seen["confined"] = [
    status_of(lambda: confined.put_object(Bucket=bucket, Key="a/own", Body=b"x")),
    status_of(lambda: confined.put_object(Bucket=bucket, Key="ab/own", Body=b"x")),
    status_of(lambda: confined.list_objects_v2(Bucket=bucket)),
]
wrong = client(aws_access_key_id="ROOTKEY", aws_secret_access_key="wrong")
seen["wrong"] = status_of(lambda: wrong.list_objects_v2(Bucket=bucket))
print(json.dumps(seen))
