"""Accounts at Alibaba Cloud and Huawei Cloud, by what their command lines print."""
