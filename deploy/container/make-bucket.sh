#!/bin/sh
# Makes the bucket of Tether, private, with the rules of its life, and the one key that may use it. May run again: it ends with the same.
#
# For the image of MinIO's client, which has a shell and little else. Nothing secret is an argument, which others could see.
set -eu

read_secret() { cat "/run/secrets/$1"; }
MC_HOST_store="http://$(read_secret minio-root-user):$(read_secret minio-root-password)@minio:9000"
export MC_HOST_store

mc mb --ignore-existing store/tether
mc anonymous set none store/tether
mc ilm import store/tether < /etc/tether/lifecycle.json
mc admin policy create store tether /etc/tether/policy.json
printf 'tether\n%s\n' "$(read_secret s3-secret)" | mc admin user add store
# To attach what is attached already is an error.
case "$(mc admin user info store tether --json)" in
  *'"policyName": "tether"'* | *'"policyName":"tether"'*) ;;
  *) mc admin policy attach store tether --user tether ;;
esac
