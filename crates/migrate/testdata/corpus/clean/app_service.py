import os

endpoint = os.environ['MSI_ENDPOINT']
secret = os.environ['MSI_SECRET']
